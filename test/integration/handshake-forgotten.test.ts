import type { Server } from 'node:http';
import { expect, test, vi } from 'vitest';
import { retainedBytes } from '../support/retained-bytes.ts';
import { startServer, tokenFor } from '../support/start-server.ts';

/** The requests that a server is given from now on, for as long as somebody else holds them. */
function watchRequests(http: Server): WeakRef<object>[] {
  const requests: WeakRef<object>[] = [];
  const { emit } = http;
  http.emit = function (this: Server, event: string, ...args: unknown[]) {
    if (event === 'upgrade' || event === 'request') requests.push(new WeakRef(args[0] as object));
    return Reflect.apply(emit, this, [event, ...args]);
  } as Server['emit'];
  return requests;
}

test.each([[['websocket']], [['polling', 'websocket']]])(
  'an open connection (%j) holds no request that it came with',
  async (transports) => {
    await using server = await startServer();
    const requests = watchRequests(server.http);
    const socket = await server.connect(tokenFor('ada'), { transports });
    await vi.waitFor(() => expect(socket.io.engine.transport.name).toBe('websocket'));
    await vi.waitFor(async () => {
      await retainedBytes();
      expect(requests.filter((request) => request.deref() !== undefined)).toHaveLength(0);
    });
    expect(requests.length).toBeGreaterThan(0);
    expect(await socket.emitWithAck('join-room', 'dashboard')).toMatchObject({ success: true });
    expect(server.realtime.getStats().totalConnections).toBe(1);
  },
);
