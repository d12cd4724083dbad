import type { AshlarError } from '../../../shared/errors.ts';
import type { StoreLog } from './worker-link.ts';

/** What shows that writing goes on: to open a room that nobody can write to is answered as well. */
const PROOFS: ReadonlySet<string> = new Set(['append', 'probe']);

/**
 * Tells the log why nothing can be written: clients and publishers get a code, and whoever runs the server must find the reason somewhere.
 * Once for each reason, and once when it is over, however many are refused.
 */
export function tellFailures(log: StoreLog | undefined) {
  let reason: string | undefined;
  return {
    succeeded(call: string): void {
      if (reason === undefined || !PROOFS.has(call)) return;
      reason = undefined;
      log?.info({}, 'storage:writes-again');
    },
    failed(call: string, error: AshlarError): void {
      if (error.code !== 'storage-unavailable' && error.code !== 'storage-full') return;
      if (error.message === reason) return;
      reason = error.message;
      log?.error({ err: error, call }, 'storage:write-failed');
    },
  };
}
