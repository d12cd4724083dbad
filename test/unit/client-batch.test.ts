import { expect, test } from 'vitest';
import { createBatch } from '../../client/features/batch.ts';
import { fakeFeatureClient } from '../support/fake-feature-client.ts';

const ROOM = 'batch:b1';

function watchBatch() {
  const fake = fakeFeatureClient();
  const batch = createBatch(fake.client, 'b1');
  const stop = batch.subscribe(() => {});
  return {
    ...fake,
    batch,
    stop,
    tell(progress: number, at: number, status = 'processing') {
      fake.tell('batch:progress', { batchId: 'b1', progress, current: progress, total: 100, status }, { room: ROOM, at });
    },
    complete(at = 0, results = ['all']) {
      fake.tell('batch:completed', { batchId: 'b1', results, duration: 900 }, { room: ROOM, seq: 1, at });
    },
  };
}

test('a batch that is run again shows nothing of what the run before brought', () => {
  const { batch, stop, tell, complete } = watchBatch();
  complete();
  tell(100, 1_000, 'completed');
  expect(batch.get()).toMatchObject({ status: 'completed', results: ['all'], durationMs: 900 });
  tell(10, 2_000);
  expect(batch.get()).toMatchObject({ status: 'processing', progress: 10, results: null, durationMs: null });
  // A join brings the values first, and then what the log holds.
  complete(1_000);
  tell(100, 3_000, 'completed');
  expect(batch.get()).toMatchObject({ status: 'completed', results: null, durationMs: null });
  complete(3_000, ['new']);
  expect(batch.get()).toMatchObject({ status: 'completed', results: ['new'], durationMs: 900 });
  stop();
});

test('[4] another user of the same page sees nothing of what the one before was told of a batch, its results neither', () => {
  const { batch, stop, user, tell, complete } = watchBatch();
  complete();
  tell(100, 1_000, 'completed');
  user.set({ id: 'bob', name: 'Bob' });
  expect(batch.get()).toBeNull();
  tell(100, 2_000, 'completed');
  expect(batch.get()).toMatchObject({ status: 'completed', results: null, durationMs: null });
  stop();
});

test('how long a batch will take is told by the pace of this run, and not once it has ended, however it did', () => {
  const { batch, stop, tell } = watchBatch();
  tell(20, 1_000);
  expect(batch.get()?.remainingMs).toBeNull();
  tell(60, 3_000);
  expect(batch.get()?.remainingMs).toBe(2_000);
  tell(60, 3_000, 'failed');
  expect(batch.get()?.remainingMs).toBeNull();
  // It starts over, an hour later.
  tell(10, 3_600_000);
  expect(batch.get()?.remainingMs).toBeNull();
  tell(20, 3_601_000);
  expect(batch.get()?.remainingMs).toBe(8_000);
  stop();
});

test('a batch that comes and goes a thousand times in a room that others hold leaves one listener there, and none once it is back', async () => {
  const fake = fakeFeatureClient();
  const room = fake.room(ROOM);
  const { subscribe } = room;
  let listeners = 0;
  room.subscribe = (listener) => {
    listeners++;
    const stop = subscribe(listener);
    return () => {
      listeners--;
      stop();
    };
  };
  const batch = createBatch(fake.client, 'b1');
  for (let times = 0; times < 1_000; times++) {
    batch.subscribe(() => {})();
    await Promise.resolve();
  }
  expect(listeners).toBe(1);
  batch.subscribe(() => {});
  expect(listeners).toBe(0);
});
