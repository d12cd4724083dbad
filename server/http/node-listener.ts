import type { IncomingMessage, ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { HttpApi } from './hono-env.ts';

/** The API as a request listener for a Node `http.Server`. Leaves the process's global Request and Response as they are. */
export function toNodeListener(api: HttpApi): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const listener = getRequestListener(api.fetch, { overrideGlobalObjects: false });
  return async (request, response) => {
    await listener(request, response);
  };
}
