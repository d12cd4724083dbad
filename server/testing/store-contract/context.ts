import { expect } from 'vitest';
import { parseRoomName, type RoomName } from '../../../shared/room-name.ts';
import type { NewRecord, ReadRange, RoomAppend, RoomLease, Store } from '../../storage/store.ts';

/** A place where records live; every handle opened on it sees the same data. Disposing closes what is still open. */
export interface StoreHome extends AsyncDisposable {
  open(): Promise<Store>;
}

/** What one test works with: the suite's one store, as opening takes longer than most tests, and names of the test's own. */
export interface Context {
  readonly home: StoreHome;
  readonly store: Store;
  /** Begins every name that belongs to the test. */
  readonly own: string;
  readonly room: RoomName;
  readonly other: RoomName;
  /** Appends under a lease, expecting success. @returns the lease, moved on */
  readonly write: (store: Store, lease: RoomLease, append: Content, at?: RoomName) => Promise<RoomLease>;
  /** The payloads of `room`, or another, as text. */
  readonly texts: (range?: Partial<ReadRange>, at?: RoomName) => Promise<string[]>;
}

type Content = Omit<RoomAppend, 'room' | 'fence' | 'expectedHead'>;

export function makeContext(home: StoreHome, store: Store, test: number): Context {
  const own = `t${test}-`;
  const room = parseRoomName(`doc:${own}room`);
  return {
    home,
    store,
    own,
    room,
    other: parseRoomName(`chat:${own}room`),
    async write(to, lease, append, at = room) {
      const [result] = await to.append({ appends: [{ room: at, fence: lease.fence, expectedHead: lease.head, ...append }] });
      expect(result).toMatchObject({ ok: true });
      return { ...lease, head: lease.head + append.records.length };
    },
    texts: async (range = {}, at = room) =>
      (await store.read(at, { limit: 100, ...range })).map((entry) => textOf(entry.payload)),
  };
}

export function record(text: string, more: Partial<NewRecord> = {}): NewRecord {
  return {
    at: 1_000,
    userId: 'anna',
    kind: 'doc:update',
    payload: Buffer.from(text),
    version: 1,
    id: null,
    session: null,
    counter: 0,
    ...more,
  };
}

export const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString();
