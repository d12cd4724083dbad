import type { ConnectionStatus } from './connection.ts';
import type { Environment } from './environment.ts';
import type { Readable } from './readable.ts';

/** `lost`: gone for 5 s. `restored`: back after that. `failed`: the server refuses; it will not come back by itself. */
export type ConnectionNotice = 'lost' | 'restored' | 'failed';

// A shorter loss is nobody's business: most are over by then.
const ANNOUNCE_AFTER_MS = 5_000;

/**
 * Tells of a lost connection as a user should hear of it: not at once, and of its return only if they heard of the loss.
 * @returns a function that ends it
 */
export function onConnectionNotice(
  status: Readable<ConnectionStatus>,
  env: Environment,
  listener: (notice: ConnectionNotice) => void,
): () => void {
  let wasConnected = status.get().state === 'connected';
  let announced = false;
  let cancel: (() => void) | null = null;
  const stopTimer = (): void => {
    cancel?.();
    cancel = null;
  };
  const stop = status.subscribe(({ state }) => {
    if (state === 'connected') {
      stopTimer();
      if (announced) listener('restored');
      announced = false;
      wasConnected = true;
    } else if (state === 'refused' || state === 'closed' || state === 'idle') {
      stopTimer();
      if (state === 'refused') listener('failed');
      announced = false;
      wasConnected = false;
    } else if (wasConnected && !announced && cancel === null) {
      cancel = env.after(ANNOUNCE_AFTER_MS, () => {
        cancel = null;
        announced = true;
        listener('lost');
      });
    }
  });
  return () => {
    stop();
    stopTimer();
  };
}
