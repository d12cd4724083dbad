import type { Server } from 'socket.io';
import type { Clock } from '../clock.ts';

/** What engine.io has of its connections and its types hide. */
interface EngineConnection {
  close(): void;
  once(event: 'close', listener: () => void): void;
}

/**
 * Closes every connection of a server that stops: what waits for a client is sent first, and nothing that it still sends is handled.
 * The transport is closed, without Socket.IO's DISCONNECT packet: a stock client takes that for "do not come back".
 * @param waitMs how long slow readers are waited for; whoever is still there then is left to the server's own close
 */
export function closeConnections(io: Server, clock: Pick<Clock, 'after'>, waitMs: number): Promise<void> {
  const connections = Object.values((io.engine as unknown as { clients: Record<string, EngineConnection> }).clients);
  return new Promise((resolve) => {
    const cancel = clock.after(waitMs, resolve);
    const closed = connections.map((connection) => new Promise<void>((done) => connection.once('close', done)));
    for (const connection of connections) connection.close();
    Promise.all(closed).then(() => {
      cancel();
      resolve();
    });
  });
}
