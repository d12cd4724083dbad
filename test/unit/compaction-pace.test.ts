import { expect, test } from 'vitest';
import { compactionDue } from '../../server/documents/compaction-due.ts';
import { Compactor } from '../../server/documents/compactor.ts';
import type { DocumentRoom } from '../../server/documents/document-room.ts';
import { AshlarError } from '../../shared/errors.ts';
import { parseRoomName } from '../../shared/room-name.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { openDocument } from '../support/open-document.ts';

const ROOM = parseRoomName('doc:plan');
const EMPTY_UPDATE = new Uint8Array([0, 0]);

/** A document that is due with each record, and whose snapshots take so many milliseconds. */
async function opened({ takesMs, meanwhile = () => {} }: { takesMs: number; meanwhile?: (document: DocumentRoom) => unknown }) {
  const clock = createManualClock();
  const snapshots: number[] = [];
  const compact = async ({ updates }: { updates: readonly Uint8Array[] }) => {
    snapshots.push(updates.length);
    await meanwhile(document);
    return { state: EMPTY_UPDATE, stateVector: new Uint8Array([0]), nesting: 0, tookMs: takesMs };
  };
  const log = { warn: () => {}, error: () => {}, debug: () => {} };
  const compactor = new Compactor({ clock, maxAgeMs: 1e9, keepBytes: 1e6, log, counted: () => {}, quarantined: () => {} });
  const { document } = await openDocument(ROOM, {
    clock,
    workers: { compact } as never,
    compactAfterRecords: 1,
    compact: (asked, canWait) => compactor.request(asked, canWait),
  });
  const append = async () => {
    await new Promise<void>((resolve, reject) => {
      const record = {
        at: clock.now(),
        userId: null,
        kind: 'doc:update',
        payload: EMPTY_UPDATE,
        version: 1,
        id: null,
        session: null,
      };
      document.room.submit({
        durable: true,
        record: { ...record, counter: 0 },
        leave: (committed) => {
          document.updateCommitted(committed!);
          resolve();
        },
        fail: reject,
      });
    });
  };
  const write = async () => {
    await append();
    await document.room.settled();
    await compactor.settled();
  };
  return { append, clock, compactor, document, snapshots, write };
}

test('a document whose snapshot took long rests twenty times as long before the next one, which has all that came meanwhile', async () => {
  const { clock, compactor, document, snapshots, write } = await opened({ takesMs: 100 });
  await write();
  expect(snapshots).toEqual([1]);
  await write();
  await write();
  expect(snapshots).toEqual([1]);
  expect(document.busy, 'it stays in memory until then').toBe(true);
  await clock.advanceAsync(1_999);
  expect(snapshots).toEqual([1]);
  await clock.advanceAsync(1);
  await compactor.settled();
  expect(snapshots).toEqual([1, 2]);
  expect(document.busy).toBe(false);
});

test('a document does not rest where its tail grows too long or somebody cannot wait', async () => {
  const { compactor, document, snapshots, write } = await opened({ takesMs: 100 });
  for (let count = 0; count < 4; count++) await write();
  expect(snapshots).toEqual([1]);
  await write();
  expect(snapshots, 'four times what makes a snapshot due').toEqual([1, 4]);
  await write();
  compactor.request(document);
  await compactor.settled();
  expect(snapshots).toEqual([1, 4, 1]);
  expect(document.busy).toBe(false);
});

test('a document whose snapshot fails is tried again when it has grown by half, and then as ever', async () => {
  let broken = true;
  const { compactor, snapshots, write } = await opened({
    takesMs: 0,
    meanwhile: () => {
      if (broken) throw new AshlarError('internal', { detail: 'the document worker did not start' });
    },
  });
  for (let head = 1; head <= 5; head++) await write();
  expect(snapshots, 'at the heads 1, 2, 3 and 5').toEqual([1, 2, 3, 5]);
  broken = false;
  for (let head = 6; head <= 8; head++) await write();
  expect(snapshots).toEqual([1, 2, 3, 5, 8]);
  await write();
  await compactor.settled();
  expect(snapshots.at(-1)).toBe(1);
});

test('a document that is deleted while its snapshot is made gets none: its name begins empty', async () => {
  const { document, write } = await opened({ takesMs: 0, meanwhile: (made) => made.deleted() });
  await write();
  expect(document.snapshotSeq).toBe(0);
  expect(await document.snapshot()).toBeNull();
});

test('[1] what is written while a snapshot is made stays in the log, however old it is when that is cut', async () => {
  const made = opened({
    takesMs: 100,
    async meanwhile() {
      const { append, clock } = await made;
      await append();
      clock.jump(2e9);
    },
  });
  const { document, snapshots, write } = await made;
  await write();
  expect([snapshots, document.snapshotSeq]).toEqual([[1], 1]);
  expect((await document.room.store.read(ROOM, { limit: 10 })).map(({ seq }) => seq)).toEqual([2]);
});

test('a server that closes does not wait for documents that rest', async () => {
  const { clock, compactor, document, snapshots, write } = await opened({ takesMs: 1_000 });
  await write();
  await write();
  await compactor.close();
  expect(document.busy).toBe(false);
  await clock.advanceAsync(60_000);
  expect(snapshots).toEqual([1]);
});

test('a snapshot can wait unless the tail is long or only a snapshot vouches for the places in it', () => {
  const limits = { compactAfterRecords: 500, compactAfterBytes: 1_000_000 };
  const due = (tail: Partial<Parameters<typeof compactionDue>[0]>) =>
    compactionDue({ records: 0, bytes: 0, proofDue: false, ...tail }, limits);
  expect([due({ records: 499, bytes: 999_999, proofDue: true }), due({ records: 500 }), due({ bytes: 1_000_000 })]).toEqual([
    'no',
    'can wait',
    'can wait',
  ]);
  expect(due({ records: 1_999, bytes: 3_999_999 })).toBe('can wait');
  expect([due({ records: 2_000 }), due({ bytes: 4_000_000 }), due({ records: 500, proofDue: true })]).toEqual([
    'now',
    'now',
    'now',
  ]);
});
