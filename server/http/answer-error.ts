import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { AshlarError } from '../../shared/errors.ts';
import { HTTP_STATUS } from '../../shared/http-status.ts';

/** Where unexpected errors are written: pino, or anything with its `error`. */
export interface HttpLog {
  error(fields: object, message: string): void;
}

/**
 * Answers `{ success: false, error }` under the status of the error's code; with Retry-After (whole seconds, at least 1) where it
 * says when to come back. What is not an `AshlarError` is answered as `internal`, with nothing of its text, and logged.
 */
export function answerError(context: Context, thrown: unknown, log: HttpLog): Response {
  const error = AshlarError.from(thrown);
  const status: ContentfulStatusCode | 499 = HTTP_STATUS[error.code];
  if (error.code === 'internal') {
    log.error({ err: error, method: context.req.method, path: context.req.path }, 'http:error');
  }
  if (status === 401) context.header('WWW-Authenticate', 'Bearer');
  if (error.retryAfterMs !== undefined) {
    context.header('Retry-After', String(Math.max(1, Math.ceil(error.retryAfterMs / 1_000))));
  }
  context.header('Cache-Control', 'no-store');
  const { detail, ...wire } = error.toWire();
  // The detail of an internal error is about us, not about the request.
  const shown = error.code === 'internal' || detail === undefined ? wire : { ...wire, detail };
  return context.json({ success: false, error: shown }, status as ContentfulStatusCode);
}
