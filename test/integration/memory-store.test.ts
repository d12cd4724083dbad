import { expect, test } from 'vitest';
import type { Store } from '../../server/storage/store.ts';
import { memoryDisk } from '../../server/testing/memory-disk.ts';
import { openMemoryStore } from '../../server/testing/memory-store.ts';
import { storeContract } from '../../server/testing/store-contract.ts';
import { AshlarError } from '../../shared/errors.ts';
import { parseRoomName } from '../../shared/room-name.ts';

storeContract('memory', async () => {
  const disk = memoryDisk();
  const handles: Store[] = [];
  return {
    async open() {
      const handle = openMemoryStore({ disk });
      handles.push(handle);
      return handle;
    },
    async [Symbol.asyncDispose]() {
      for (const handle of handles) await handle.close();
    },
  };
});

const room = parseRoomName('chat:1');

test('a failed append stores nothing and makes the lease void', async () => {
  const store = openMemoryStore();
  const { fence } = await store.open(room);
  const commit = { appends: [{ room, fence, expectedHead: 0, records: [] }] };
  store.failNextAppend(new AshlarError('storage-full'));
  await expect(store.append(commit)).rejects.toMatchObject({ code: 'storage-full' });
  expect(await store.append(commit)).toEqual([{ ok: false, head: 0 }]);
});

test('held appends resolve once they are let go', async () => {
  const store = openMemoryStore();
  const { fence } = await store.open(room);
  const release = store.holdAppends();
  let done = false;
  const append = store.append({ appends: [{ room, fence, expectedHead: 0, records: [] }] }).then(() => {
    done = true;
  });
  await store.probe();
  expect(done).toBe(false);
  release();
  await append;
  expect(done).toBe(true);
});
