import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openSqliteStore } from '../../storage/sqlite/sqlite-store.ts';
import { createSystemClock } from '../../system-clock.ts';
import { fillAndHeal } from './store-checks.ts';

// Run by the check of a full disk, in a process whose data folder is a small disk: node fill-disk.js <folder>
const clock = createSystemClock();
const [, , dataDir = ''] = process.argv;
// A disk that is full takes not even a deletion, which is written too: the room comes from elsewhere.
const ballast = join(dataDir, 'ballast');
await writeFile(ballast, new Uint8Array(2_000_000));
const store = await openSqliteStore({ dataDir, clock });
try {
  process.stdout.write(await fillAndHeal(store, clock, () => rm(ballast)));
} finally {
  await store.close();
}
