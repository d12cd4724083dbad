import { expect, test } from 'vitest';
import { Compactor } from '../../server/documents/compactor.ts';
import { DocumentNesting, MAX_NESTING } from '../../server/documents/document-nesting.ts';
import type { DocumentRoom } from '../../server/documents/document-room.ts';
import type { LogRecord, NewRecord } from '../../server/storage/store.ts';
import { openMemoryStore } from '../../server/testing/memory-store.ts';
import { parseRoomName } from '../../shared/room-name.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { chained } from '../support/nested-types.ts';
import { openDocument } from '../support/open-document.ts';

const ROOM = parseRoomName('doc:plan');
const record: NewRecord = {
  at: 1,
  userId: null,
  kind: 'doc:update',
  payload: chained(3),
  version: 1,
  id: null,
  session: null,
  counter: 0,
};

/** A document over a store in memory, with a compactor whose worker sees so many levels, when it is let. */
async function opened({ stored, seen = 7 }: { stored: boolean; seen?: number }) {
  const clock = createManualClock();
  const store = openMemoryStore();
  if (stored) {
    const { fence } = await store.open(ROOM);
    await store.append({ appends: [{ room: ROOM, fence, expectedHead: 0, records: [record], clocks: [] }] });
  }
  let compactions = 0;
  let letGo = () => {};
  const looking = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const compact = async () => {
    compactions += 1;
    await looking;
    return { state: new Uint8Array([0, 0]), stateVector: new Uint8Array([0]), nesting: seen, tookMs: 0 };
  };
  const log = { warn: () => {}, error: () => {}, debug: () => {} };
  const compactor = new Compactor({ clock, maxAgeMs: 1e9, keepBytes: 1e6, log, counted: () => {}, quarantined: () => {} });
  const ports = { clock, workers: { compact } as never, compact: (asked: DocumentRoom) => compactor.request(asked) };
  const { document } = await openDocument(ROOM, ports, store);
  return { document, compactor, letGo, compactions: () => compactions };
}

test('[5] a document that comes from disk is measured as soon as something nests in it, and stays in memory until then', async () => {
  const { document, compactor, letGo, compactions } = await opened({ stored: true });
  document.deepen(0);
  await compactor.settled();
  expect([compactions(), document.busy]).toEqual([0, false]);
  document.deepen(3);
  expect(document.busy).toBe(true);
  document.deepen(2);
  letGo();
  await compactor.settled();
  expect([compactions(), document.busy]).toEqual([1, false]);
  expect(document.nesting, 'what a worker saw, and what may have come after it looked').toMatchObject({
    measured: true,
    bound: 9,
  });
  document.deepen(1);
  await compactor.settled();
  expect(compactions()).toBe(1);
});

test('a new document is not measured until it is compacted; what the server writes itself counts', async () => {
  const { document, compactor, compactions } = await opened({ stored: false });
  document.updateCommitted({ ...record, seq: 1, epoch: 'e' } as LogRecord);
  await compactor.settled();
  expect(compactions()).toBe(0);
  expect(document.nesting.bound).toBe(3);
});

test('an empty document is known to be flat, one that comes from disk is taken for half as deep as it may be', () => {
  expect(new DocumentNesting(true)).toMatchObject({ bound: 0, measured: true });
  expect(new DocumentNesting(false)).toMatchObject({ bound: MAX_NESTING / 2, measured: false });
});

test('[5] levels add up, until a worker has seen the document; what came after it looked still counts', () => {
  const nesting = new DocumentNesting(false);
  nesting.add(300);
  const { added } = nesting;
  nesting.add(200);
  expect([nesting.exceededBy(12), nesting.exceededBy(13)]).toEqual([false, true]);
  nesting.measure(3, added);
  expect(nesting).toMatchObject({ bound: 203, measured: true });
  expect([nesting.exceededBy(821), nesting.exceededBy(822)]).toEqual([false, true]);
});

test('[5] two who look at once do not both take off what was added before', () => {
  const nesting = new DocumentNesting(true);
  nesting.add(1_000);
  const [first, second] = [nesting.added, nesting.added];
  nesting.measure(900, first);
  nesting.measure(900, second);
  expect(nesting.bound).toBe(900);
  nesting.add(50);
  nesting.measure(900, second);
  expect(nesting.bound).toBe(950);
  nesting.clear();
  expect(nesting.bound).toBe(0);
});

test('what adds no level is never too much', () => {
  const nesting = new DocumentNesting(true);
  nesting.add(5_000);
  expect(nesting.exceededBy(0)).toBe(false);
});
