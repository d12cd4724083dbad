import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import jwt from 'jsonwebtoken';
import { io, type Socket } from 'socket.io-client';
import type { RealtimeServerOptions } from '../../server/options.ts';
import { RealtimeServer } from '../../server/server.ts';
import type { AccessClaim } from '../../shared/access.ts';
import type { Events } from '../../shared/catalog.ts';

export const SECRET = 'a secret for tests, long enough to be one';

export interface TokenOptions {
  name?: string;
  color?: string;
  access?: AccessClaim | undefined;
  roles?: string[];
  permissions?: string[];
  expiresInSeconds?: number;
}

/** A token for a user; without `access` it may write everywhere. `access: undefined` leaves the claim out. */
export function tokenFor(id: string, options: TokenOptions = {}): string {
  const { expiresInSeconds = 3_600, ...rest } = options;
  const access = 'access' in options ? options.access : { '*': 'write' as const };
  return jwt.sign({ id, ...rest, access, exp: Math.floor(Date.now() / 1_000) + expiresInSeconds }, SECRET);
}

export interface ConnectOptions {
  transports?: string[];
  auth?: object;
  before?: (socket: Socket) => void;
}

export interface TestServer<Own extends Events = []> extends AsyncDisposable {
  readonly realtime: RealtimeServer<Own>;
  readonly http: Server;
  readonly url: string;
  readonly dataDir: string;
  /** A stock socket.io-client, connected. Closed with the server. `before`: listens before anything can have arrived. */
  connect(token: string, options?: ConnectOptions): Promise<Socket>;
  /** Closes the server and keeps its data. */
  stop(): Promise<void>;
}

/** Starts a real server on a port that the OS picks, with a data folder of its own (or the one given, which then stays). */
export async function startServer<Own extends Events = []>(
  options: Partial<RealtimeServerOptions<Own>> = {},
): Promise<TestServer<Own>> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'ashlar-test-')));
  const http = createServer((_request, response) => response.writeHead(404).end('the app'));
  const realtime = new RealtimeServer<Own>({
    jwtSecret: SECRET,
    logLevel: 'silent',
    ...options,
    dataDir,
  } as RealtimeServerOptions<Own>);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  await realtime.initialize(http);
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const sockets: Socket[] = [];
  const stop = async () => {
    for (const socket of sockets.splice(0)) socket.disconnect();
    await realtime.close();
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  };
  return {
    realtime,
    http,
    url,
    dataDir,
    stop,
    connect(token, { transports = ['websocket'], auth = {}, before } = {}) {
      const socket = io(url, { auth: { token, ...auth }, transports, forceNew: true, reconnection: false });
      sockets.push(socket);
      before?.(socket);
      return new Promise((resolve, reject) => {
        socket.once('connect', () => resolve(socket));
        socket.once('connect_error', reject);
      });
    },
    async [Symbol.asyncDispose]() {
      await stop();
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** The next occurrence of an event, with its arguments; `where` skips others. */
export function next(socket: Socket, event: string, where: (...args: never[]) => boolean = () => true): Promise<unknown[]> {
  return new Promise((resolve) => {
    const listener = (...args: unknown[]) => {
      if (!where(...(args as never[]))) return;
      socket.off(event, listener);
      resolve(args);
    };
    socket.on(event, listener);
  });
}

/** Emits and waits for the ack. */
// biome-ignore lint/suspicious/noExplicitAny: acks are looked into field by field by the tests.
export function ask(socket: Socket, event: string, ...args: unknown[]): Promise<any> {
  return socket.timeout(10_000).emitWithAck(event, ...args);
}
