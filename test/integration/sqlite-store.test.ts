import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '../../server/storage/sqlite/sqlite-store.ts';
import type { Store } from '../../server/storage/store.ts';
import { createSystemClock } from '../../server/system-clock.ts';
import { storeContract } from './store-contract.ts';

storeContract('SQLite', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'ashlar-store-'));
  const handles: Store[] = [];
  return {
    async open() {
      // Only the first has the folder's lock: the others stand for other processes that race with it.
      const handle = await openSqliteStore({ dataDir, clock: createSystemClock(), testing: { shareLock: handles.length > 0 } });
      handles.push(handle);
      return handle;
    },
    async [Symbol.asyncDispose]() {
      for (const handle of handles) await handle.close();
      await rm(dataDir, { recursive: true });
    },
  };
});
