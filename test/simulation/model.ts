import * as Y from 'yjs';
import type { LogRecord } from '../../server/storage/store.ts';
import type { MemoryDisk } from '../../server/testing/memory-disk.ts';
import { type AccessClaim, accessFromClaim } from '../../shared/access.ts';
import type { RoomName } from '../../shared/room-name.ts';
import { containedIn, docOf } from './content.ts';
import type { DiskWitness } from './disk.ts';
import type { World } from './world.ts';

interface DocumentModel {
  /** Everything that was ever on the disk, also what an operator took back. */
  ever: Y.Doc;
  /** What must be there still. */
  must: Y.Doc;
  wentBack: boolean;
}

/** What was on the disk, who sent what, and who may see it: kept beside the product, and compared with what it shows. */
export class Model implements DiskWitness {
  readonly documents = new Map<string, DocumentModel>();
  /** Yjs client id → the user whose page drew it. */
  readonly clientIds = new Map<number, string>();
  /** Content of a chat message → who sent it. */
  readonly sent = new Map<string, string | null>();
  readonly claims = new Map<string, AccessClaim>();
  readonly #ever = new Map<string, Map<string, LogRecord>>();
  /** Records that must be on the disk. */
  readonly #must = new Map<string, Map<string, LogRecord>>();
  readonly #calls = new Map<string, number>();
  readonly #revokedSince = new Map<string, number>();
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  committed(room: RoomName, records: readonly LogRecord[]): void {
    const ever = entryOf(this.#ever, room, () => new Map());
    const must = entryOf(this.#must, room, () => new Map());
    for (const record of records) {
      const place = placeOf(record);
      if (ever.has(place)) this.#world.violate(`two records at ${room} ${place}`);
      ever.set(place, record);
      must.set(place, record);
      this.#judgeWriter(room, record);
      if (record.kind !== 'doc:update') continue;
      const document = this.document(room);
      try {
        const begins = Y.parseUpdateMeta(record.payload).from;
        this.#judgeNew(room, record, begins, document);
        this.#judgeIds(room, record, begins, document);
        Y.applyUpdate(document.ever, record.payload);
        Y.applyUpdate(document.must, record.payload);
      } catch (error) {
        this.#world.violate(`a record of ${room} does not apply: ${error}`);
      }
    }
    this.#world.trace(
      `disk ${room} ${records.map((record) => `${placeOf(record)} ${record.userId} ${record.payload.length}`).join(', ')}`,
    );
  }

  wentBack(disk: MemoryDisk): void {
    this.#must.clear();
    for (const [room, { records }] of disk.rooms) {
      this.#must.set(room, new Map(records.map((record) => [placeOf(record), record])));
    }
    for (const [room, document] of this.documents) {
      document.must = docOf(disk, room as RoomName);
      document.wentBack = true;
    }
    this.followGrants(disk);
  }

  /** A process ended in the middle of whatever it did: the disk says what became of it. */
  followGrants(disk: MemoryDisk): void {
    const revoked = new Set([...disk.grants].filter(([, access]) => access === 'none').map(([key]) => key));
    for (const key of this.#revokedSince.keys()) if (!revoked.has(key)) this.#revokedSince.delete(key);
  }

  document(room: string): DocumentModel {
    return entryOf(this.documents, room, () => ({ ever: new Y.Doc(), must: new Y.Doc(), wentBack: false }));
  }

  /** Access is about to be changed. @returns to be called with the promise's end */
  changing(room: string, userId: string, access: string): () => void {
    const key = JSON.stringify([room, userId]);
    const call = (this.#calls.get(key) ?? 0) + 1;
    this.#calls.set(key, call);
    // What is given may hold from now on; what is taken is gone once that was said, unless it was given again meanwhile.
    if (access !== 'none') this.#revokedSince.delete(key);
    return () => {
      if (access === 'none' && this.#calls.get(key) === call) this.#revokedSince.set(key, this.#world.events);
    };
  }

  claimed(room: string, userId: string): 'none' | 'read' | 'write' | 'admin' {
    if (room === `user:${userId}`) return 'read';
    return accessFromClaim(this.claims.get(userId) ?? {}, room) ?? 'none';
  }

  /** Something of a room reached a user. @param sentAt in events, when it was handed to the network */
  shown(room: string, userId: string, what: string, sentAt: number): void {
    if (this.claimed(room, userId) === 'none') this.#world.violate(`${userId} has no access to ${room}, and was shown ${what}`);
    const since = this.#revokedSince.get(JSON.stringify([room, userId]));
    if (since !== undefined && sentAt > since) this.#world.violate(`${what} of ${room} left for ${userId} after the revocation`);
  }

  /** A record is shown, or told to be saved. */
  onDisk(room: string, epoch: string | undefined, seq: number | undefined, what: string): LogRecord | undefined {
    const record = this.#ever.get(room)?.get(`${epoch}/${seq}`);
    if (record === undefined) this.#world.violate(`${what} of ${room} at ${epoch}/${seq} is not on the disk`);
    return record;
  }

  /** A client's document has nothing that is not on the disk. */
  documentOnDisk(room: string, doc: Y.Doc, what: string, writing?: number): void {
    const lacking = containedIn(doc, this.document(room).ever, writing);
    if (lacking !== null) this.#world.violate(`${what} of ${room} is not on the disk: ${lacking}`);
  }

  /** What must be on the disk is on it: as records, or cut in order. */
  judgeDisk(disk: MemoryDisk): void {
    for (const [room, must] of this.#must) {
      const { records, head, trimmedTo } = disk.rooms.get(room as RoomName) ?? { records: [], head: 0, trimmedTo: 0 };
      const there = new Map(records.map((record) => [placeOf(record), record]));
      for (const [place, { seq }] of must) {
        if (seq > trimmedTo && !there.has(place)) this.#world.violate(`${room} ${place} was on the disk, and is gone`);
      }
      const dense = records.every((record, index) => record.seq === trimmedTo + 1 + index);
      if (!dense || (records.at(-1)?.seq ?? trimmedTo) !== head) this.#world.violate(`the log of ${room} is not dense`);
      if (!room.startsWith('chat:')) continue;
      const contents = records.map(({ payload }) => JSON.parse(Buffer.from(payload).toString()).content as string);
      const twice = contents.find((content, index) => contents.indexOf(content) !== index);
      if (twice !== undefined && !twice.startsWith('hostile')) this.#world.violate(`${room} has “${twice}” twice`);
    }
  }

  #judgeWriter(room: RoomName, record: LogRecord): void {
    const { userId } = record;
    if (userId !== null && !['write', 'admin'].includes(this.claimed(room, userId)))
      this.#world.violate(`${userId} may not write in ${room}, and did`);
    if (record.kind !== 'chat:message') return;
    const { content, userId: shownAs } = JSON.parse(Buffer.from(record.payload).toString()) as {
      content: string;
      userId?: string;
    };
    const author = this.sent.get(content);
    if (author !== undefined && author !== userId)
      this.#world.violate(`“${content}” is of ${author}, and stored as of ${userId}`);
    if (userId !== null && shownAs !== userId) this.#world.violate(`“${content}” of ${userId} is shown as of ${shownAs}`);
  }

  // What is stored twice is read by joiners alone: members have passed over it.
  #judgeNew(room: RoomName, { userId }: LogRecord, begins: ReadonlyMap<number, number>, { must }: DocumentModel): void {
    if (userId === null) return;
    for (const [client, clock] of begins) {
      const known = Y.getState(must.store, client);
      if (clock !== known) this.#world.violate(`${userId} wrote in ${room} from ${client}:${clock} on, ${known} was next`);
    }
  }

  // After the log went back, anybody brings what it lacks.
  #judgeIds(room: RoomName, { userId }: LogRecord, begins: ReadonlyMap<number, number>, { wentBack }: DocumentModel): void {
    if (wentBack || userId === null) return;
    for (const client of begins.keys()) {
      const owner = this.clientIds.get(client);
      if (owner !== undefined && owner !== userId)
        this.#world.violate(`${userId} wrote in ${room} under a client id of ${owner}`);
    }
  }
}

function placeOf({ epoch, seq }: { epoch: string; seq: number }): string {
  return `${epoch}/${seq}`;
}

function entryOf<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
