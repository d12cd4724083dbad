import type { Server as HttpServer } from 'node:http';
import type { Logger } from 'pino';
import type { Catalog } from '../../shared/catalog.ts';
import { AshlarError } from '../../shared/errors.ts';
import type { User } from '../../shared/user.ts';
import type { Audit } from '../audit.ts';
import type { Clock } from '../clock.ts';
import type { AddressLimiter } from '../guard/address-limiter.ts';
import type { Authenticate } from '../guard/authenticate.ts';
import type { UserBudgets } from '../guard/budgets.ts';
import { createClientAddress } from '../guard/client-address.ts';
import type { Metrics } from '../metrics.ts';
import type { Settings } from '../options.ts';
import { packageVersion } from '../package-version.ts';
import { type Attachment, attachPaths } from '../sockets/attach.ts';
import { withinTime } from '../within-time.ts';
import { createHttpApi } from './api.ts';
import { toNodeListener } from './node-listener.ts';
import { isHttpApiPath, PATHS } from './own-paths.ts';
import type { AdmitRequest, HttpPorts, ServerStats } from './ports.ts';

/** A store that takes longer for one write takes none, as far as whoever would send here is concerned. */
const WRITES_WITHIN_MS = 5_000;

export interface HttpApiPorts {
  readonly clock: Pick<Clock, 'after'>;
  readonly settings: Settings;
  readonly catalog: Catalog;
  readonly authenticate: Authenticate;
  readonly audit: Audit;
  readonly log: Logger;
  readonly userBudgets: UserBudgets;
  readonly addresses: AddressLimiter;
  unavailable(): AshlarError | undefined;
  /** @throws AshlarError also while the server is not ready */
  readonly publish: HttpPorts['publish'];
  stats(): ServerStats;
  readonly metrics: Metrics;
  probe(): Promise<void>;
}

/** Puts the HTTP API onto a server's own paths, behind the guard's steps: authenticate, budget, permission. */
export function attachHttpApi(httpServer: HttpServer, ports: HttpApiPorts): Attachment {
  const { settings, authenticate } = ports;
  const { prefix } = settings;
  const clientAddress = createClientAddress(settings.trustedProxies);

  // Bad tokens are counted per address, like refused handshakes.
  function userOf(token: string | undefined, address: string): User {
    const allowed = ports.addresses.check(address);
    if (!allowed.ok) throw new AshlarError('rate-limited', { retryAfterMs: allowed.retryAfterMs });
    try {
      return authenticate(token).user;
    } catch (error) {
      ports.addresses.refused(address);
      throw error;
    }
  }

  async function admit({ token, action, cost, address }: AdmitRequest): Promise<User> {
    let user: User | undefined;
    try {
      user = userOf(token, address);
      const allowed = user.permissions.includes(action) || (action === 'stats' && user.roles.includes('admin'));
      if (!allowed) throw new AshlarError('access-denied', { detail: `the token lacks the permission "${action}"` });
    } catch (thrown) {
      const error = AshlarError.from(thrown);
      ports.metrics.refused(error.code, 'http');
      ports.audit.httpRefused(address, action, error, user?.id);
      throw thrown;
    }
    const taken = ports.userBudgets.take(user.id, action === 'publish' ? 'publishes' : 'joins', cost);
    if (!taken.ok) throw new AshlarError('rate-limited', { retryAfterMs: taken.retryAfterMs });
    return user;
  }

  const metrics = settings.metrics ?? false;
  const api = createHttpApi(
    {
      admit,
      publish: ports.publish,
      stats: ports.stats,
      metrics: async () => ({ type: ports.metrics.contentType, text: await ports.metrics.render() }),
      async ready() {
        const error = ports.unavailable();
        if (error !== undefined) throw error;
        const late = () => new AshlarError('storage-unavailable', { detail: `no write in ${WRITES_WITHIN_MS / 1_000} s` });
        await withinTime(ports.clock, WRITES_WITHIN_MS, late, ports.probe());
      },
    },
    {
      prefix,
      version: packageVersion(),
      allowedOrigins: settings.allowedOrigins,
      events: ports.catalog.values(),
      metrics,
      addressOf: (request) => clientAddress(request.socket.remoteAddress, request.headers['x-forwarded-for']),
      log: ports.log,
    },
  );
  const listener = toNodeListener(api);
  return attachPaths(httpServer, {
    name: `the HTTP API of ${prefix}/`,
    owns: (path) => isHttpApiPath(path, prefix, metrics),
    handleRequest: (request, response) => void listener(request, response),
    // The process lives while it starts and while it drains: /healthz says so.
    unavailable: (request) => (request.url?.startsWith(prefix + PATHS.healthz) ? undefined : ports.unavailable()),
  });
}
