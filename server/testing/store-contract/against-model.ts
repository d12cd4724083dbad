import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseRoomName } from '../../../shared/room-name.ts';
import type { Store } from '../../storage/store.ts';
import { openMemoryStore } from '../memory-store.ts';
import type { Context } from './context.ts';

/** Any sequence of calls gives what the store in memory gives. */
export function againstModel(current: () => Context): void {
  test('does what a plain model does, whatever the calls', async () => {
    const { store, own } = current();
    const model = openMemoryStore();
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        // Rooms of its own for each run: opening a store takes longer than a run.
        const prefix = `doc:${own}run${runs++}-`;
        for (const next of steps) {
          const [found, expected] = [await run(store, next, prefix), await run(model, next, prefix)];
          expect(comparable(found, store), JSON.stringify(next)).toEqual(comparable(expected, model));
        }
      }),
      { numRuns: 40 },
    );
  });
}

const small = fc.integer({ min: 0, max: 8 });
const someRecord = fc.record({
  at: small,
  userId: fc.constantFrom('anna', 'bert', null),
  kind: fc.constantFrom('x', 'y'),
  payload: fc.uint8Array({ maxLength: 12 }),
  version: fc.constant(1),
  id: fc.constantFrom('i', 'j', null),
  session: fc.constantFrom('s', null),
  counter: small,
});
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const append = fc.record({
  type: fc.constant('append' as const),
  room: fc.nat(1),
  /** Mostly right: otherwise nothing would ever be stored. */
  headOff: fc.constantFrom(0, 0, 0, 0, 0, 0, 1, -1),
  records: fc.array(someRecord, { maxLength: 4 }),
  clocks: fc.array(fc.record({ clientId: small, userId: fc.constantFrom('anna', null), clock: small }), { maxLength: 2 }),
  sessions: fc.array(
    fc.record({ session: fc.constantFrom('s', 't'), userId: fc.constant('anna'), clientId: small, counter: small }),
    { maxLength: 2 },
  ),
  states: fc.array(
    fc.record({
      event: fc.constantFrom('e', 'f'),
      key: fc.constantFrom('k', 'l'),
      value: fc.constantFrom('1', '2', null),
      rev: small,
      at: small,
    }),
    { maxLength: 3 },
  ),
  lifecycle: fc.option(
    fc.record({ change: fc.constantFrom('deleted' as const, 'created' as const), incarnation: fc.constantFrom('p', 'q') }),
    { nil: undefined, freq: 4 },
  ),
});
const step = fc.oneof(
  { weight: 5, arbitrary: append },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('read' as const),
      room: fc.nat(1),
      after: maybe(small),
      before: maybe(small),
      limit: small,
      maxBytes: maybe(fc.nat(20)),
      from: maybe(fc.constantFrom('oldest' as const, 'newest' as const)),
      kind: maybe(fc.constantFrom('x', 'y')),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('trim' as const),
      room: fc.nat(1),
      maxRecords: maybe(small),
      before: maybe(small),
      upTo: maybe(small),
      keepBytes: maybe(fc.nat(20)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('snapshot' as const), room: fc.nat(1), back: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('look' as const), room: fc.nat(1), seq: small }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function run(store: Store, next: Step, prefix: string): Promise<unknown> {
  const at = parseRoomName(`${prefix}${next.room}`);
  switch (next.type) {
    case 'append': {
      const { type: _, headOff, lifecycle, ...rest } = next;
      const lease = await store.open(at);
      const edit = { ...rest, ...(lifecycle ? { lifecycle } : {}), room: at };
      const results = await store.append({ appends: [{ ...edit, fence: lease.fence, expectedHead: lease.head + headOff }] });
      return { lease, results };
    }
    case 'read': {
      const { type: _, room: __, ...range } = next;
      return store.read(at, withoutUndefined(range));
    }
    case 'trim': {
      const { type: _, room: __, ...options } = next;
      return store.trim(at, withoutUndefined(options));
    }
    case 'snapshot': {
      const { head } = await store.open(at);
      const seq = Math.max(0, head - next.back);
      const state = new Uint8Array([seq, next.back]);
      await store.writeSnapshot(at, { seq, epoch: 'e', state, stateVector: new Uint8Array([1]) });
      return store.readSnapshot(at);
    }
    case 'look':
      return {
        epoch: await store.epochAt(at, next.seq),
        byId: await store.findById(at, 'anna', 'i'),
        session: await store.findSession(at, 's'),
        snapshot: await store.readSnapshot(at),
        rooms: await store.listRooms(prefix, null, 10),
        lease: await store.open(at),
      };
  }
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as never;
}

/** Epochs differ by their nature, fences may: what is left must be equal. */
function comparable(value: unknown, store: Store): unknown {
  const text = JSON.stringify(value, (key, entry) => (entry instanceof Uint8Array ? [...entry] : key === 'fence' ? 0 : entry));
  return text === undefined ? undefined : JSON.parse(text.replaceAll(store.epoch, 'EPOCH'));
}
