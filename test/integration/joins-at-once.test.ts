import { expect, test, vi } from 'vitest';
import { openMemoryStore } from '../../server/testing/memory-store.ts';
import type { Access } from '../../shared/access.ts';
import { AshlarError } from '../../shared/errors.ts';
import { gateStore } from '../support/gated-store.ts';
import { ask, startServer, tokenFor } from '../support/start-server.ts';

test('[5] joins that are sent all at once stop at the limit of rooms, and the refused ones leave nothing behind', async () => {
  await using server = await startServer({ limits: { roomsPerSocket: 20 } });
  const eve = await server.connect(tokenFor('eve'));
  await ask(eve, 'room:members', 'system');
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, index) =>
      eve.emitWithAck('join-room', index % 2 === 0 ? `plain-${index}` : `doc:name-${index}`),
    ),
  );
  const refused = answers.filter(({ success }) => !success);
  expect(refused.every(({ error }) => error.code === 'too-many-rooms')).toBe(true);
  // Rooms that it is put into by itself count from the start, and may still be under way.
  const joined = () => Object.values(server.realtime.getStats().rooms).reduce((sum, sockets) => sum + sockets, 0);
  await vi.waitFor(() => expect(joined()).toBe(20));
});

test('[5] whoever is in as many rooms as it may joins them again, and joins that failed count for nothing', async () => {
  const store = gateStore(openMemoryStore());
  await using server = await startServer({ store, limits: { roomsPerSocket: 3 } });
  const ada = await server.connect(tokenFor('ada'), { auth: { autoJoin: false } });
  for (let index = 0; index < 5; index++) {
    store.fail('open', 'before', new AshlarError('storage-unavailable'));
    expect(await ask(ada, 'join-room', `broken-${index}`)).toMatchObject({ error: { code: 'storage-unavailable' } });
  }
  for (const room of ['a', 'b', 'c', 'a', 'c']) expect(await ask(ada, 'join-room', room)).toMatchObject({ success: true, room });
  expect(await ask(ada, 'join-room', 'd')).toMatchObject({ error: { code: 'too-many-rooms' } });
  await ask(ada, 'leave-room', 'b');
  expect(await ask(ada, 'join-room', 'd')).toMatchObject({ success: true });
});

test('[2] a socket that joins while it is asked whether it may read a broadcast gets that once', async () => {
  const asked: ((access: Access) => void)[] = [];
  await using server = await startServer({
    authorize: (_user, room) => (room === 'catalog' ? new Promise<Access>((resolve) => asked.push(resolve)) : undefined),
  });
  const anna = await server.connect(tokenFor('anna'));
  const seqs: (number | undefined)[] = [];
  anna.on('catalog:updated', (_data, meta) => seqs.push(meta.seq));
  const publish = () =>
    server.realtime.broadcast('catalog:updated', {
      updatedAt: '2026-01-01T00:00:00Z',
      changes: { added: 1, modified: 0, deleted: 0 },
    });
  await publish();
  await vi.waitFor(() => expect(asked.length).toBeGreaterThan(0));
  const joined = ask(anna, 'join-room', 'catalog');
  // The join shares the question or asks its own; each is answered as it comes.
  const answering = setInterval(() => {
    for (const answer of asked.splice(0)) answer('read');
  }, 1);
  await joined;
  clearInterval(answering);
  await publish();
  await vi.waitFor(() => expect(seqs).toContain(2));
  expect(seqs).toEqual([1, 2]);
});
