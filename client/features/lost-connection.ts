import type { Readable } from '../readable.ts';
import { watched } from '../watched.ts';
import type { FeatureClient } from './feature-client.ts';

/**
 * Whether a user should hear of the connection: `lost` once it has been away for 5 s, `failed` where the server refuses, else null.
 * Making one does nothing; it lives while somebody subscribes.
 */
export function createLostConnection(client: FeatureClient): Readable<'lost' | 'failed' | null> {
  return watched<'lost' | 'failed' | null>(null, (store) => {
    store.set(null);
    return [
      client.onConnectionNotice((notice) => store.set(notice === 'restored' ? null : notice)),
      client.status.subscribe(({ state }) => {
        if (state === 'closed' || (state !== 'refused' && store.get() === 'failed')) store.set(null);
      }),
    ];
  });
}
