import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A network that can fail, between a client and a server on this machine. */
export interface TcpProxy extends AsyncDisposable {
  /** The proxy's own address, which stays the same over the server's restarts. */
  readonly url: string;
  /** TCP connections that are open now. */
  readonly connections: number;
  /** Connections accepted so far. */
  readonly accepted: number;
  /** Bytes that came from either side so far. */
  readonly bytes: number;
  /** Leads new connections to another server. */
  target(url: string): void;
  /** Breaks every connection, without a word to either side, and refuses new ones until `mend`. */
  cut(): void;
  mend(): void;
  /** Breaks the clients' side alone: the server goes on writing to connections that it takes for alive. New ones work. */
  vanish(): void;
  /** Passes nothing on to clients, and reads nothing from the server, until `resume`: its writes pile up. Connections stay open. */
  stall(): void;
  resume(): void;
}

/** Starts a proxy on a port that the OS picks. @param url the server's address */
export async function startTcpProxy(url: string): Promise<TcpProxy> {
  const pairs = new Set<{ client: Socket; server: Socket }>();
  let port = portOf(url);
  let state: 'open' | 'cut' | 'stalled' = 'open';
  let accepted = 0;
  let passed = 0;
  /** Server sides of connections whose client has vanished. */
  const orphans = new Set<Socket>();

  const listener = createServer((client) => {
    if (state === 'cut') {
      client.resetAndDestroy();
      return;
    }
    accepted += 1;
    const server = connect(port, '127.0.0.1');
    const pair = { client, server };
    pairs.add(pair);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.setNoDelay(true);
      from.on('data', (bytes) => {
        passed += bytes.length;
        if (to.write(bytes)) return;
        from.pause();
        to.once('drain', () => {
          if (state !== 'stalled' || from === client) from.resume();
        });
      });
      from.on('error', () => {});
      from.on('close', () => {
        pairs.delete(pair);
        if (!orphans.has(to)) to.destroy();
      });
    }
    if (state === 'stalled') server.pause();
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));

  const breakAll = () => {
    for (const { client, server } of pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
    pairs.clear();
    for (const server of orphans) server.resetAndDestroy();
    orphans.clear();
  };
  return {
    url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    get connections() {
      return pairs.size;
    },
    get accepted() {
      return accepted;
    },
    get bytes() {
      return passed;
    },
    target(next) {
      port = portOf(next);
    },
    cut() {
      state = 'cut';
      breakAll();
    },
    mend() {
      state = 'open';
    },
    vanish() {
      for (const { client, server } of pairs) {
        orphans.add(server);
        server.pause();
        client.resetAndDestroy();
      }
    },
    stall() {
      state = 'stalled';
      for (const { server } of pairs) server.pause();
    },
    resume() {
      state = 'open';
      for (const { server } of pairs) server.resume();
    },
    async [Symbol.asyncDispose]() {
      breakAll();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
