import { copyFile, mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseRoomName, type RoomName } from '../../../shared/room-name.ts';
import type { Clock } from '../../clock.ts';
import { openForInspection } from '../../storage/sqlite/connection.ts';
import { dataFiles } from '../../storage/sqlite/data-folder.ts';
import { loadSqlite } from '../../storage/sqlite/load-sqlite.ts';
import { readWitness } from '../../storage/sqlite/witness.ts';
import type { LogRecord, NewRecord, Store } from '../../storage/store.ts';
import { must, wait } from './checks.ts';

export const ROOM = parseRoomName('chat:verify');
const PER_COMMIT = 5;

/** What record `seq` holds: so that a reader knows what must stand there. */
export function textAt(seq: number): string {
  return JSON.stringify({ content: `record ${seq} ${'·'.repeat(seq % 50)}` });
}

function recordAt(seq: number, at: number, userId: string): NewRecord {
  const payload = Buffer.from(textAt(seq));
  return { at, userId, kind: 'chat:message', payload, version: 1, id: null, session: null, counter: 0 };
}

/** Appends so many records, a few per commit. @returns the room's head @throws AshlarError the store's; Error where there was another writer */
export async function appendRecords(
  store: Store,
  clock: Clock,
  count: number,
  userId = 'anna',
  room: RoomName = ROOM,
): Promise<number> {
  const { fence, head } = await store.open(room);
  for (let done = 0; done < count; ) {
    const size = Math.min(PER_COMMIT, count - done);
    const records = Array.from({ length: size }, (_, index) => recordAt(head + done + index + 1, clock.now(), userId));
    const [result] = await store.append({ appends: [{ room, fence, expectedHead: head + done, records }] });
    must(result?.ok === true, 'the only writer was told that there is another');
    done += size;
  }
  return head + count;
}

/** Reads the whole log, and holds every record against what was written. @returns the head @throws Error where one is missing, or another */
export async function requireWhole(store: Store, atLeast: number): Promise<number> {
  const { head, trimmedTo } = await store.open(ROOM);
  must(head >= atLeast, `acknowledged up to ${atLeast}, and the log ends at ${head}`);
  for (let after = trimmedTo; after < head; ) {
    const page: readonly LogRecord[] = await store.read(ROOM, { after, limit: 1_000 });
    must(page.length > 0, `the log stops at ${after}`);
    for (const { seq, payload } of page) {
      must(seq === after + 1, `after record ${after} comes ${seq}`);
      must(Buffer.from(payload).toString() === textAt(seq), `record ${seq} holds something else than was written`);
      after = seq;
    }
  }
  return head;
}

/** Copies a data folder as it is on disk while a store has it: what a power cut would leave. Waits until its witness is up to date. */
export async function copyInUse(from: string, to: string, clock: Clock): Promise<void> {
  const { database, witness } = dataFiles(from);
  const db = openForInspection(await loadSqlite(), database);
  const commits = db.prepare('SELECT commits FROM counters').pluck().get() as number;
  db.close();
  for (let waited = 0; ; waited += 50) {
    const known = await readWitness(witness);
    if ('commits' in known && known.commits >= commits) break;
    must(waited < 10_000, 'the witness was not written within 10 s');
    await wait(clock, 50);
  }
  await mkdir(to, { recursive: true });
  for (const file of [database, `${database}-wal`, witness]) await copyFile(file, join(to, basename(file)));
}
