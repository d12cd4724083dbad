import type { ConnectionStatus } from './connection.ts';
import type { Environment } from './environment.ts';
import { type Readable, writable } from './readable.ts';
import { guarded, type Report } from './report.ts';

/** `lost`: gone for 5 s. `restored`: back after that. `failed`: the server refuses; it will not come back by itself. */
export type ConnectionNotice = 'lost' | 'restored' | 'failed';

// A shorter loss is nobody's business: most are over by then.
const ANNOUNCE_AFTER_MS = 5_000;

/**
 * Tells of a lost connection as a user should hear of it: not at once, and of its return only if they heard of the loss.
 * @returns takes a listener, which hears of a loss or refusal that stands already at once; what it returns ends that
 */
export function connectionNotices(
  status: Readable<ConnectionStatus>,
  env: Environment,
  report: Report,
): (listener: (notice: ConnectionNotice) => void) => () => void {
  const told = writable<ConnectionNotice | null>(null, report);
  let wasConnected = false;
  let cancel: (() => void) | null = null;
  status.subscribe(({ state }) => {
    const lost = told.get() === 'lost';
    if (wasConnected && (state === 'connecting' || state === 'reconnecting' || state === 'offline')) {
      if (!lost) cancel ??= env.after(ANNOUNCE_AFTER_MS, () => told.set('lost'));
      return;
    }
    cancel?.();
    cancel = null;
    wasConnected = state === 'connected';
    told.set(state === 'refused' ? 'failed' : wasConnected && lost ? 'restored' : null);
  });
  return (listener) => {
    const tell = (notice: ConnectionNotice | null): void => {
      if (notice !== null) listener(notice);
    };
    if (told.get() !== 'restored') guarded(report, 'listener', () => tell(told.get()));
    return told.subscribe(tell);
  };
}
