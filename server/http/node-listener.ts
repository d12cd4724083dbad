import type { IncomingMessage, ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { AshlarError } from '../../shared/errors.ts';
import { HTTP_STATUS } from '../../shared/http-status.ts';
import type { HttpApi } from './hono-env.ts';

/**
 * The API as a request listener for a Node `http.Server`. Leaves the process's global Request and Response as they are. A request without a
 * `Host`, which HTTP/1.0 allows and health checks of load balancers lack, is taken like any other: nothing here goes by it.
 */
export function toNodeListener(api: HttpApi): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const listener = getRequestListener(api.fetch, {
    overrideGlobalObjects: false,
    hostname: 'localhost',
    errorHandler: refuseTarget,
  });
  return async (request, response) => {
    await listener(request, response);
  };
}

// Of what the API itself throws it makes an answer by itself.
function refuseTarget(): Response {
  const error = new AshlarError('invalid-payload', { detail: 'the header Host and the path make no URL' });
  return Response.json({ success: false, error: error.toWire() }, { status: HTTP_STATUS[error.code] });
}
