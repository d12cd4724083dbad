import { beforeEach, describe, expect, test } from 'vitest';
import type { Quarantine } from '../../storage/store.ts';
import { type Context, record, textOf } from './context.ts';

/** Records that are set aside: kept, out of the log, and no position from before valid. */
export function quarantineContract(current: () => Context): void {
  let context: Context;
  beforeEach(() => {
    context = current();
  });

  const setAside = (seqs: readonly number[], head: number): Quarantine => ({
    seqs,
    reason: 'it does not apply',
    at: 5_000,
    snapshot: { seq: head, epoch: 'after', state: Buffer.from('the rest'), stateVector: Buffer.from('vector') },
    clocks: [
      { clientId: 1, userId: 'anna', clock: 3 },
      { clientId: 9, userId: null, clock: 0 },
    ],
    incarnation: 'another',
  });

  describe('quarantine', () => {
    test('keeps what was set aside, serves the rest as a snapshot at the head, and makes all positions invalid', async () => {
      const { store, room, home, texts, write } = context;
      let lease = await store.open(room);
      lease = await write(store, lease, {
        records: ['a', 'bad', 'c', 'worse'].map((text) => record(text)),
        clocks: [
          { clientId: 1, userId: 'anna', clock: 4 },
          { clientId: 9, userId: 'eve', clock: 7 },
        ],
      });
      await write(store, lease, { records: [], quarantine: setAside([2, 4], 4) });
      const again = await home.open();
      for (const handle of [store, again]) {
        const kept = await handle.readQuarantined(room);
        expect(kept.map(({ seq, payload }) => `${seq} ${textOf(payload)}`)).toEqual(['2 bad', '4 worse']);
        expect(kept[0]).toMatchObject({ userId: 'anna', epoch: store.epoch, reason: 'it does not apply', quarantinedAt: 5_000 });
        expect(await handle.readSnapshot(room)).toMatchObject({ seq: 4, epoch: 'after' });
        expect(textOf((await handle.readSnapshot(room))?.state ?? new Uint8Array())).toBe('the rest');
        expect(await handle.epochAt(room, 4), 'neither the last position').toBe('after');
        expect(await handle.epochAt(room, 3), 'nor any other').toBeNull();
      }
      await again.close();
      expect(await texts()).toEqual([]);
      const opened = await store.open(room);
      expect(opened).toMatchObject({
        head: 4,
        headEpoch: 'after',
        trimmedTo: 4,
        trimmedEpoch: 'after',
        snapshotSeq: 4,
        incarnation: 'another',
      });
      expect(opened.clocks, 'clocks may fall here, and nowhere else').toEqual(setAside([], 4).clocks);
      await write(store, opened, { records: [record('later')] });
      expect(await texts()).toEqual(['later']);
      expect(await store.epochAt(room, 5)).toBe(store.epoch);
    });

    test('is refused whole under a lease or head that is not the newest', async () => {
      const { store, room, texts, write } = context;
      const lease = await write(store, await store.open(room), { records: [record('a'), record('b')] });
      const append = { room, fence: lease.fence, expectedHead: 1, records: [], quarantine: setAside([1], 1) };
      expect(await store.append({ appends: [append] })).toEqual([{ ok: false, head: 2 }]);
      expect(await store.readQuarantined(room)).toEqual([]);
      expect(await texts()).toEqual(['a', 'b']);
    });

    test('adds to what was set aside before, and goes with the document; a snapshot from before it is ignored', async () => {
      const { store, room, write } = context;
      let lease = await write(store, await store.open(room), { records: [record('a'), record('b')] });
      lease = await write(store, lease, { records: [], quarantine: setAside([1], 2) });
      await store.writeSnapshot(room, { seq: 2, epoch: 'x', state: Buffer.from('stale'), stateVector: Buffer.from('v') });
      expect(textOf((await store.readSnapshot(room))?.state ?? new Uint8Array())).toBe('the rest');
      lease = await write(store, lease, { records: [record('c')] });
      lease = await write(store, lease, { records: [], quarantine: setAside([3], 3) });
      expect((await store.readQuarantined(room)).map(({ seq }) => seq)).toEqual([1, 3]);
      await write(store, lease, { records: [], lifecycle: { change: 'deleted', incarnation: 'gone' } });
      expect(await store.readQuarantined(room)).toEqual([]);
    });
  });
}
