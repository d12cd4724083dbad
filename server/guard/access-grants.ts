import type { Access } from '../../shared/access.ts';
import { AshlarError } from '../../shared/errors.ts';
import type { RoomName } from '../../shared/room-name.ts';
import type { Clock } from '../clock.ts';
import type { Store } from '../storage/store.ts';

/** Grants remembered, "none is stored" included. */
const MAX_REMEMBERED = 10_000;
/** Slots of `stamps` (256 kB). A power of two; two keys in one slot only cost a decision that was not needed. */
const STAMPS = 65_536;

/** What is stored about a user in a room, and what is being written about it. */
export interface StandingGrant {
  /** On disk; null: nothing. */
  readonly stored: Access | null;
  /** Being written, or a revocation that could not be written. The lowest outcome of all holds. */
  readonly underWay: readonly (Access | null)[];
}

/**
 * Stored grants and revocations, read through a cache that only this object writes.
 * `stamps` tell a decision that it is out of date: each change of a grant raises the stamp of its slot, so that nothing that was
 * decided before it, or begun before it and finished after, is ever taken for current. No list of listeners to leak or to forget.
 */
export interface AccessGrants {
  /** @throws AshlarError of the store */
  read(room: RoomName, userId: string): Promise<StandingGrant>;
  /**
   * Stores a decision; null removes it. What it takes away is gone at once; what it gives holds when it is on disk, which is when
   * this resolves. Changes of one user in one room are stored in the order of the calls.
   * @throws AshlarError of the store. What was taken away then stays away until it is set again or the process ends
   */
  set(room: RoomName, userId: string, access: Access | null): Promise<void>;
  /** A user was erased, and with it what was stored: nothing of it is remembered here. */
  forgetUser(userId: string): void;
  /** Where the stamp of a user in a room is found. */
  slot(room: RoomName, userId: string): number;
  /** The stamp of a slot: another value than before means that something may have changed. */
  stamp(slot: number): number;
}

type Change = { readonly access: Access | null };

export function createAccessGrants(store: Pick<Store, 'readGrant' | 'writeGrant'>, clock: Pick<Clock, 'now'>): AccessGrants {
  const remembered = new Map<string, Access | null>();
  const reads = new Map<string, Promise<Access | null>>();
  const changes = new Map<string, Change[]>();
  const lastWrite = new Map<string, Promise<void>>();
  /** Keys of revocations that could not be written, oldest first. */
  const unwritten = new Map<string, Change>();
  const stamps = new Uint32Array(STAMPS);

  const slot = (room: RoomName, userId: string): number => hash(keyOf(room, userId)) & (STAMPS - 1);
  const touch = (room: RoomName, userId: string): void => {
    const at = slot(room, userId);
    stamps[at] = (stamps[at] ?? 0) + 1;
  };
  const remember = (key: string, access: Access | null): void => {
    remembered.delete(key);
    remembered.set(key, access);
    if (remembered.size > MAX_REMEMBERED) forgetOldest(remembered);
  };

  const readStored = (room: RoomName, userId: string): Promise<Access | null> => {
    const key = keyOf(room, userId);
    const known = remembered.get(key);
    if (known !== undefined) {
      remember(key, known);
      return Promise.resolve(known);
    }
    const running = reads.get(key);
    if (running !== undefined) return running;
    const read: Promise<Access | null> = store
      .readGrant(room, userId)
      .then(async (access) => {
        // A write took this read off the list: what it found may be from before.
        if (reads.get(key) !== read) return readStored(room, userId);
        remember(key, access);
        return access;
      })
      .finally(() => {
        if (reads.get(key) === read) reads.delete(key);
      });
    reads.set(key, read);
    return read;
  };

  const write = async (room: RoomName, userId: string, access: Access | null, before: Promise<void>): Promise<void> => {
    await before;
    await store.writeGrant(room, userId, access, clock.now());
  };

  return {
    forgetUser(userId) {
      const ending = `\n${userId}`;
      for (const map of [remembered, reads, unwritten]) {
        for (const key of map.keys()) if (key.endsWith(ending)) map.delete(key);
      }
    },
    slot,
    stamp: (at) => stamps[at] ?? 0,
    async read(room, userId) {
      const key = keyOf(room, userId);
      const stored = await readStored(room, userId);
      const failed = unwritten.get(key);
      return { stored, underWay: [...(changes.get(key) ?? []), ...(failed === undefined ? [] : [failed])].map((c) => c.access) };
    },
    async set(room, userId, access) {
      const key = keyOf(room, userId);
      const change: Change = { access };
      const queue = changes.get(key) ?? [];
      queue.push(change);
      changes.set(key, queue);
      touch(room, userId);
      const written = write(room, userId, access, lastWrite.get(key) ?? Promise.resolve());
      // The next write of this key waits for this one, whatever becomes of it.
      const settled = written.catch(() => {});
      lastWrite.set(key, settled);
      let stored = false;
      try {
        await written;
        stored = true;
      } catch (error) {
        throw AshlarError.from(error, 'storage-unavailable');
      } finally {
        queue.splice(queue.indexOf(change), 1);
        if (queue.length === 0) changes.delete(key);
        if (lastWrite.get(key) === settled) lastWrite.delete(key);
        reads.delete(key);
        if (stored) {
          remember(key, access);
          unwritten.delete(key);
        } else {
          // Unknown is not "no": ask the store again. What the change would have taken away stays away meanwhile.
          remembered.delete(key);
          unwritten.delete(key);
          unwritten.set(key, change);
          if (unwritten.size > MAX_REMEMBERED) forgetOldest(unwritten);
        }
        touch(room, userId);
      }
    },
  };
}

/** Room names hold no control characters: two pairs never make one key. */
function keyOf(room: RoomName, userId: string): string {
  return `${room}\n${userId}`;
}

function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return (value ^ (value >>> 15)) >>> 0;
}

function forgetOldest(map: Map<string, unknown>): void {
  const oldest = map.keys().next();
  if (!oldest.done) map.delete(oldest.value);
}
