import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHttpApi, type HttpApiOptions } from '../../server/http/api.ts';
import { toNodeListener } from '../../server/http/node-listener.ts';
import type { AdmitRequest, HttpPorts, PublishRequest } from '../../server/http/ports.ts';
import { AshlarError } from '../../shared/errors.ts';
import type { User } from '../../shared/user.ts';

const backend: User = { id: 'backend', name: 'Backend', color: '#336699', roles: [], permissions: ['publish', 'stats'] };

/** Ports that remember what they were asked; each may be replaced. */
export function fakePorts(replace: Partial<HttpPorts> = {}) {
  const admitted: AdmitRequest[] = [];
  const published: { events: readonly PublishRequest[]; key: string | undefined }[] = [];
  const ports: HttpPorts = {
    async admit(request) {
      admitted.push(request);
      if (request.token === undefined) throw new AshlarError('auth-required');
      if (request.token !== 'good') throw new AshlarError('invalid-token');
      return backend;
    },
    async publish(_user, events, key) {
      published.push({ events, key });
      return events.map(({ event, room }, index) => ({ event, room: room ?? '*', seq: index + 1, epoch: 'e' }));
    },
    stats: () => ({ totalConnections: 3, totalUsers: 2, rooms: { dashboard: 2 } }),
    metrics: async () => ({ type: 'text/plain', text: 'ashlar_connections 3\n' }),
    ready: async () => undefined,
    ...replace,
  };
  return { ports, admitted, published };
}

/** The API on a port of its own. */
export async function startHttpApi(ports: HttpPorts, options: HttpApiOptions = {}) {
  const server = createServer(toNodeListener(createHttpApi(ports, options)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    fetch: (path: string, init: RequestInit = {}) =>
      fetch(`${url}${path}`, { ...init, headers: { authorization: 'Bearer good', ...init.headers } }),
    post: (body: unknown, headers: Record<string, string> = {}) =>
      fetch(`${url}/api/events`, {
        method: 'POST',
        headers: { authorization: 'Bearer good', 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
