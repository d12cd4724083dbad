import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AshlarError } from '../../shared/errors.ts';
import { type Config, processEnv, readConfig } from '../config.ts';
import { createLog } from '../create-log.ts';
import { createAuthenticator } from '../guard/authenticate.ts';
import type { TokenClaims } from '../guard/sign-token.ts';
import { PATHS } from '../http/own-paths.ts';
import type { Settings } from '../options.ts';
import { RealtimeServer } from '../server.ts';
import { refuseRequest } from '../sockets/refuse-http.ts';
import { createSystemClock } from '../system-clock.ts';
import { developmentSecret } from './development-secret.ts';
import { canSign, signFor } from './token.ts';

export interface ServeFlags {
  port?: string;
  host?: string;
  dataDir?: string;
  logLevel?: string;
}

/** What an app that runs in the server's process is built on. */
export interface AppHost {
  readonly realtime: RealtimeServer;
  readonly http: Server;
  /** Signs a token that this server takes. */
  sign(claims: TokenClaims, expiresInSeconds: number): string;
  /** The user of a token that this server signed. @throws where it is none, or has expired */
  verify(token: string): { readonly id: string; readonly roles: readonly string[] };
}

/** A product's pages and backend, beside the platform in one process. */
export interface App {
  /** Answers what is not Ashlar's own. */
  answer(request: IncomingMessage, response: ServerResponse): void;
  /** Ends its work, before the platform closes. */
  stop(): Promise<void>;
}

/** A week: long enough for a token that was pasted into a frontend under development. */
const DEVELOPMENT_TOKEN_SECONDS = 7 * 86_400;
/** What open keep-alive connections get to end by themselves once everything is committed and told. */
const LINGER_MS = 2_000;

type ServingState = 'starting' | 'ready' | 'stopping';
/** What a request gets that the platform does not answer. */
const ANSWERS = { starting: 'not-ready', ready: 'not-found', stopping: 'server-closing' } as const;

/**
 * Runs a standalone server until a signal: SIGTERM or SIGINT drains it, a second one ends it at once.
 * @param developmentApp started beside it; in production it is left out
 * @throws AshlarError `invalid-options` for a wrong setting or an address that cannot be listened on, and what the storage refuses
 */
export async function serve(flags: ServeFlags, version: string, developmentApp?: (host: AppHost) => Promise<App>): Promise<void> {
  const config = readConfig(processEnv(), flags, { developmentSecret });
  const log = createLog(config.settings.logLevel);
  for (const warning of config.warnings) log.warn({ warning }, 'config:unknown-variable');

  let state: ServingState = 'starting';
  let app: App | null = null;
  const http = createServer((request, response) => {
    if (app === null) answerElsewhere(request, response, state, config);
    else app.answer(request, response);
  });
  // Node allows 60 s and 300 s: a few hundred slow senders would hold as many connections.
  http.headersTimeout = 10_000;
  http.requestTimeout = 30_000;

  // The port first: a server that cannot listen has not touched the data.
  await listen(http, config);
  const withApp = config.production ? undefined : developmentApp;
  const address = http.address() as AddressInfo;
  const realtime = new RealtimeServer({ ...config.settings, metrics: config.settings.metrics ?? true });
  try {
    await realtime.initialize(http);
    app = (await withApp?.(hostOf(realtime, http, config.settings))) ?? null;
  } catch (thrown) {
    http.close();
    http.closeAllConnections();
    await realtime.close();
    throw thrown;
  }
  state = 'ready';
  stopOnSignals(() => {
    state = 'stopping';
    return stop(realtime, http, app);
  });
  announce(config, address, version, app !== null, (fields, message) => log.info(fields, message));
}

/** What an app gets of a server with these settings. */
export function hostOf(realtime: RealtimeServer, http: Server, settings: Settings): AppHost {
  const authenticate = createAuthenticator({
    secret: settings.jwtSecret,
    algorithms: settings.jwtAlgorithms,
    ...(settings.jwtAudience === undefined ? {} : { audience: settings.jwtAudience }),
    ...(settings.jwtIssuer === undefined ? {} : { issuer: settings.jwtIssuer }),
    clock: createSystemClock(),
  });
  return {
    realtime,
    http,
    sign: (claims, expiresInSeconds) => signFor(settings, claims, expiresInSeconds),
    verify: (token) => authenticate(token).user,
  };
}

async function listen(http: Server, { port, host }: Config): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    http.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(error, port, host)));
    http.listen(port, host, resolve);
  });
  http.removeAllListeners('error');
}

function cannotListen(error: NodeJS.ErrnoException, port: number, host: string): AshlarError {
  const sentences: Readonly<Record<string, string>> = {
    EADDRINUSE: `port ${port} is in use: stop the other program, or choose another with PORT or --port`,
    EACCES: `port ${port} needs more rights than this user has: choose one from 1024 on with PORT or --port`,
    EADDRNOTAVAIL: `${host} is no address of this machine: choose another with HOST or --host`,
    ENOTFOUND: `${host} is no address of this machine: choose another with HOST or --host`,
  };
  const detail = sentences[error.code ?? ''] ?? `cannot listen on ${host}:${port}: ${error.message}`;
  return new AshlarError('invalid-options', { cause: error, detail });
}

/**
 * What is not Ashlar's own: a standalone server has no app beside it that would answer. While it starts and stops, that is everything: then a
 * publisher must hear "later", and never that there is no such path.
 */
function answerElsewhere(request: IncomingMessage, response: ServerResponse, state: ServingState, { settings }: Config): void {
  const { url = '/' } = request;
  const isRoot = url === '/' || url.startsWith('/?');
  if (state === 'ready' && isRoot) {
    response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8' });
    response.end(`Ashlar is running. Its HTTP API: ${settings.prefix}${PATHS.docs}\n`);
    return;
  }
  refuseRequest(request, response, new AshlarError(ANSWERS[state]));
}

function stopOnSignals(stopServing: () => Promise<void>): void {
  let stopping = false;
  for (const [signal, code] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const) {
    process.on(signal, () => {
      if (stopping) {
        // An exit waits for the threads, and one that a disk holds never ends: the signal itself does not wait.
        process.removeAllListeners(signal);
        process.kill(process.pid, signal);
        process.exit(code);
      }
      stopping = true;
      stopServing().then(
        () => process.exit(0),
        (thrown: unknown) => {
          console.error('ashlar: the server did not close cleanly:', thrown);
          if (AshlarError.from(thrown).code === 'timeout') process.kill(process.pid, 'SIGKILL');
          process.exit(1);
        },
      );
    });
  }
}

async function stop(realtime: RealtimeServer, http: Server, app: App | null): Promise<void> {
  await app?.stop();
  await realtime.close();
  await new Promise<void>((resolve) => {
    http.close(() => resolve());
    http.closeIdleConnections();
    setTimeout(() => http.closeAllConnections(), LINGER_MS).unref();
  });
}

/** Development: for a person, with a token to paste. Production: one log line, and never a token. */
function announce(
  config: Config,
  address: AddressInfo,
  version: string,
  hasPages: boolean,
  log: (fields: object, message: string) => void,
): void {
  const host = address.address.includes(':') ? `[${address.address}]` : address.address;
  const url = `http://${host}:${address.port}`;
  if (config.production || !canSign(config.settings)) {
    log({ url, version }, 'server:listening');
    return;
  }
  const claims = {
    id: 'anna',
    name: 'Anna',
    permissions: ['publish', 'stats'],
    access: { '*': 'write' },
  } as const;
  const token = signFor(config.settings, claims, DEVELOPMENT_TOKEN_SECONDS);
  // All addresses are none that a browser opens everywhere.
  const page = /^(0\.0\.0\.0|::)$/.test(address.address) ? `http://localhost:${address.port}` : url;
  process.stdout.write(`
  Ashlar ${version} listens on ${url}
  HTTP API: ${url}${config.settings.prefix}${PATHS.docs}

  A token for anna, who may write in every room, publish and read stats (development only, good for 7 days):

${token}

  Another one: ashlar token --id ben --access 'doc:*=write'.

  ${hasPages ? `Open ${page} in a browser. ` : ''}Stop with Ctrl-C.

`);
}
