// Appends to a few rooms at once until it is killed, and writes one line for each append that was acknowledged.
// Runs the build: node append-until-killed.mjs <data folder>
import { writeSync } from 'node:fs';
import { openSqliteStore } from '../../dist/server/storage/sqlite/sqlite-store.js';
import { createSystemClock } from '../../dist/server/system-clock.js';

const store = await openSqliteStore({ dataDir: process.argv[2], clock: createSystemClock() });

async function writeForever(room) {
  const { fence, head } = await store.open(room);
  for (let seq = head + 1; ; ) {
    const size = 1 + (seq % 3);
    const records = Array.from({ length: size }, (_, index) => ({
      at: Date.now(),
      userId: 'anna',
      kind: 'k',
      payload: Buffer.from(`${room} ${seq + index}`),
      version: 1,
      id: null,
      session: 's',
      counter: seq + index,
    }));
    const sessions = [{ session: 's', userId: 'anna', clientId: 1, counter: seq + size - 1 }];
    const [result] = await store.append({ appends: [{ room, fence, expectedHead: seq - 1, records, sessions }] });
    if (!result.ok) throw new Error('the only writer has a conflict');
    seq += size;
    // Straight to the pipe: what was acknowledged before the kill must be known outside.
    writeSync(1, `${room} ${seq - 1}\n`);
    // A document's log is only ever cut under a snapshot.
    if (room === 'chat:c' && seq % 50 < size) await store.trim(room, { maxRecords: 400 });
  }
}

await Promise.all(['doc:a', 'doc:b', 'chat:c'].map(writeForever));
