import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface CuttableProxy extends AsyncDisposable {
  readonly url: string;
  /** Ends every connection at once, and takes no new one until `heal`. */
  cut(): void;
  heal(): void;
  /** Leads new connections elsewhere. */
  pointTo(url: string): void;
}

/** A TCP proxy before a server: the network that a test can cut. */
export async function cuttableProxy(target: string): Promise<CuttableProxy> {
  let { hostname, port } = new URL(target);
  let open = true;
  const sockets = new Set<Socket>();
  const server = createServer((incoming) => {
    if (!open) {
      incoming.destroy();
      return;
    }
    const outgoing = connect(Number(port), hostname);
    for (const socket of [incoming, outgoing]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        incoming.destroy();
        outgoing.destroy();
      });
    }
    incoming.pipe(outgoing).pipe(incoming);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    open = false;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    heal: () => {
      open = true;
    },
    pointTo: (url) => {
      ({ hostname, port } = new URL(url));
    },
    async [Symbol.asyncDispose]() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
