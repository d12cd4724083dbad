import type { IncomingMessage } from 'node:http';
import { type Context, Hono } from 'hono';
import { cors } from 'hono/cors';
import { describeRoute } from 'hono-openapi';
import { CATALOG } from '../../shared/catalog.ts';
import type { AnyEventDefinition } from '../../shared/define-event.ts';
import { AshlarError } from '../../shared/errors.ts';
import { answerError, type HttpLog } from './answer-error.ts';
import { buildOpenApi, type OpenApi } from './build-openapi.ts';
import {
  describeDescription,
  describeDocs,
  describeHealth,
  describeMetrics,
  describePublish,
  describeReadiness,
  describeStats,
} from './describe-routes.ts';
import type { HttpApi, HttpEnv } from './hono-env.ts';
import { PATHS } from './own-paths.ts';
import type { HttpPorts } from './ports.ts';
import { countEvents, parseEvents, readBearer, readIdempotencyKey, readJson } from './read-publish-body.ts';
import { DOCS_POLICY, renderDocs } from './render-docs.ts';

export interface HttpApiOptions {
  /** Put before every path, such as `/realtime`. Default: none. */
  readonly prefix?: string;
  /** Largest body, bytes. Default: 1,000,000. */
  readonly bodyBytes?: number;
  /** Origins whose pages may read answers; `*`: all. Default: none but the same host's. */
  readonly allowedOrigins?: readonly string[];
  /** Whether `/metrics` is answered, for the OpenAPI page. Default: true. */
  readonly metrics?: boolean;
  /** The event catalog, for the OpenAPI page. Default: Ashlar's own events. */
  readonly events?: Iterable<AnyEventDefinition>;
  /** Ashlar's version, for the OpenAPI page. */
  readonly version?: string;
  /** The sender's address, where proxies are believed. Default: the connection's. */
  readonly addressOf?: (request: IncomingMessage) => string;
  /** Default: nowhere. */
  readonly log?: HttpLog;
}

const SILENT: HttpLog = { error: () => undefined };
const remoteAddress = (request: IncomingMessage) => request.socket.remoteAddress ?? '';

/**
 * Ashlar's HTTP API: `POST /api/events`, `GET /api/ws/stats`, `/api/ws/openapi.json`, `/api/ws/docs`, `/healthz`, `/readyz`.
 * Everything else, and every error, is answered as `{ success: false, error }`.
 */
export function createHttpApi(ports: HttpPorts, options: HttpApiOptions = {}): HttpApi {
  const { prefix = '', bodyBytes = 1_000_000, allowedOrigins = [], events = CATALOG } = options;
  const { metrics = true, version = '0', log = SILENT } = options;
  const addressOf = options.addressOf ?? remoteAddress;
  const api: HttpApi = new Hono<HttpEnv>().basePath(prefix);

  const admit = (context: Context<HttpEnv>, action: 'publish' | 'stats', cost: number) =>
    ports.admit({ token: readBearer(context.req), action, cost, address: addressOf(context.env.incoming) });

  api.onError((thrown, context) => answerError(context, thrown, log));
  api.notFound((context) => answerError(context, new AshlarError('not-found'), log));
  api.use(async (context, next) => {
    await next();
    context.header('X-Content-Type-Options', 'nosniff');
  });
  if (allowedOrigins.length > 0) {
    api.use(
      cors({
        origin: allowedOrigins.includes('*') ? '*' : [...allowedOrigins],
        allowMethods: ['GET', 'POST'],
        allowHeaders: ['Authorization', 'Content-Type', 'Idempotency-Key'],
        exposeHeaders: ['Retry-After'],
        maxAge: 600,
      }),
    );
  }

  api.post(
    PATHS.events,
    describeRoute(describePublish),
    // The sender is known, allowed and charged before a byte of the body is read.
    async (context, next) => {
      context.set('user', await admit(context, 'publish', 1));
      await next();
    },
    async (context) => {
      const key = readIdempotencyKey(context.req);
      const body = await readJson(context.req, bodyBytes);
      const count = countEvents(body);
      const user = count === 1 ? context.get('user') : await admit(context, 'publish', count - 1);
      const answers = await ports.publish(user, parseEvents(body), key);
      return context.json({ success: true, data: Array.isArray(body) ? answers : answers[0] });
    },
  );

  api.get(PATHS.stats, describeRoute(describeStats), async (context) => {
    await admit(context, 'stats', 1);
    context.header('Cache-Control', 'no-store');
    return context.json({ success: true, data: ports.stats() });
  });

  api.get(PATHS.metrics, describeRoute({ ...describeMetrics, hide: !metrics }), async (context) => {
    await admit(context, 'stats', 1);
    const { type, text } = await ports.metrics();
    return context.body(text, 200, { 'Content-Type': type, 'Cache-Control': 'no-store' });
  });

  const alive = { success: true, data: { status: 'ok' } } as const;
  api.get(PATHS.healthz, describeRoute(describeHealth), (context) => {
    context.header('Cache-Control', 'no-store');
    return context.json(alive);
  });
  // Shared by all who ask meanwhile: anyone may ask, and each proof costs a write.
  let probe: Promise<void> | undefined;
  api.get(PATHS.readyz, describeRoute(describeReadiness), async (context) => {
    probe ??= ports.ready().finally(() => {
      probe = undefined;
    });
    await probe;
    context.header('Cache-Control', 'no-store');
    return context.json(alive);
  });

  let described: Promise<OpenApi> | undefined;
  const describe = () => {
    described ??= buildOpenApi(api, events, version);
    return described;
  };
  api.get(PATHS.openapi, describeRoute(describeDescription), async (context) => context.json(await describe()));
  api.get(PATHS.docs, describeRoute(describeDocs), async (context) => {
    context.header('Content-Security-Policy', DOCS_POLICY);
    return context.html(renderDocs(await describe(), `${prefix}${PATHS.openapi}`));
  });

  for (const path of Object.values(PATHS)) {
    const allowed = path === PATHS.events ? 'POST' : 'GET, HEAD';
    api.all(path, (context) => {
      context.header('Allow', allowed);
      throw new AshlarError('method-not-allowed', { detail: `${path} takes ${allowed}` });
    });
  }
  return api;
}
