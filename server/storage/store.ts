import type { Access } from '../../shared/access.ts';
import type { RoomName } from '../../shared/room-name.ts';

/** One durable entry of a room's log. */
export interface LogRecord {
  readonly seq: number;
  /** Unix ms. */
  readonly at: number;
  /** Who wrote it; null: the backend. */
  readonly userId: string | null;
  /** The event's name, or `doc:update`. */
  readonly kind: string;
  /** Event: UTF-8 JSON of the payload. Document: a Yjs update, V1. Always a copy of its own. */
  readonly payload: Uint8Array;
  /** The epoch of the process that wrote it. */
  readonly epoch: string;
  /** The event's payload version; 1 for document updates. */
  readonly version: number;
  /** `meta.id` of a client's log event. */
  readonly id: string | null;
  /** Document updates: hash of the writer's session secret, and the session's counter. */
  readonly session: string | null;
  readonly counter: number;
}

export type NewRecord = Omit<LogRecord, 'seq' | 'epoch'>;

/** In the place of a user's id, which is never empty: others brought this client id's content back, and the log does not know whose it is. */
export const UNCLAIMED = '';

/** A Yjs client id of a document: whose it is, and how far its clock has come. */
export interface ClientClock {
  readonly clientId: number;
  /** null: nobody's, or the backend's. `UNCLAIMED`: its first user to come with it has it. */
  readonly userId: string | null;
  /** The next clock: the state vector's entry. */
  readonly clock: number;
}

/** How far a writer's session has come in a document. */
export interface SessionMark {
  /** Hash of the secret. */
  readonly session: string;
  readonly userId: string;
  readonly clientId: number;
  /** Highest counter on disk. */
  readonly counter: number;
}

/** The latest value of a state event's key. `value` null removes it. */
export interface StateValue {
  readonly event: string;
  readonly key: string;
  /** UTF-8 JSON. */
  readonly value: string | null;
  readonly rev: number;
  readonly at: number;
}

/** An HTTP Idempotency-Key and the answer it got, kept with its effect. */
export interface IdempotencyKey {
  /** Who used it: keys of different users never meet. */
  readonly userId: string;
  readonly key: string;
  /** Hash of the request, to tell another body under the same key. */
  readonly requestHash: string;
  /** UTF-8 JSON. */
  readonly answer: string;
  readonly at: number;
}

/** What a group commit does to one room; all of it or nothing. */
export interface RoomAppend {
  readonly room: RoomName;
  /** `seq` of the room's newest record as the writer knows it. */
  readonly expectedHead: number;
  /** The lease under which the room was opened. */
  readonly fence: number;
  readonly records: readonly NewRecord[];
  readonly clocks?: readonly ClientClock[];
  readonly sessions?: readonly SessionMark[];
  readonly states?: readonly StateValue[];
  /** `deleted`: the log is cut whole, snapshot, clocks, sessions and states go, a tombstone stays. `created`: opens it, with a new incarnation. */
  readonly lifecycle?: { readonly change: 'deleted' | 'created'; readonly incarnation: string };
  /** Sets records aside. Nothing else goes into the same append. */
  readonly quarantine?: Quarantine;
}

/**
 * Takes records that damage their document out of its log, and keeps them. The log is cut whole: the snapshot, which holds all the others,
 * stands in its place, so that no position from before it is valid any more.
 */
export interface Quarantine {
  /** Which records; `readQuarantined` gives them from now on. Deleting the room deletes them too. */
  readonly seqs: readonly number[];
  /** Why, in a sentence without content. */
  readonly reason: string;
  /** Unix ms. */
  readonly at: number;
  /** At the room's head. Its epoch, which no record has, becomes that of the head and of the trim mark. */
  readonly snapshot: Snapshot;
  /** In place of all that were known. */
  readonly clocks: readonly ClientClock[];
  /** A new one: whoever holds content of the old one starts over. */
  readonly incarnation: string;
}

/** A record that was set aside. */
export interface QuarantinedRecord extends LogRecord {
  readonly reason: string;
  /** Unix ms. */
  readonly quarantinedAt: number;
}

/** A key on its way into the store. */
export interface CommitKey extends IdempotencyKey {
  /** Where the key's effect goes: it is stored only if no append to these rooms was refused; left out: no append at all. */
  readonly rooms?: readonly RoomName[];
}

/** One durable commit. */
export interface Commit {
  readonly appends: readonly RoomAppend[];
  /** A key that is there already stays as it is. */
  readonly keys?: readonly CommitKey[];
}

export type AppendResult =
  | { readonly ok: true; readonly firstSeq: number; readonly epoch: string }
  /** Another writer was here: nothing of this room's append was stored; the others' were. */
  | { readonly ok: false; readonly head: number };

/** What a room is when it is opened. */
export interface RoomLease {
  readonly head: number;
  /** The epoch of the record at `head`; this process's epoch where the log is empty. */
  readonly headEpoch: string;
  /** Records up to and with this `seq` were cut; 0: none. */
  readonly trimmedTo: number;
  readonly trimmedEpoch: string | null;
  /** Goes up with each lease: an append under an older one is a conflict. */
  readonly fence: number;
  readonly clocks: readonly ClientClock[];
  readonly states: readonly StateValue[];
  readonly incarnation: string;
  readonly deleted: boolean;
  /** `seq` of the newest snapshot; 0: none. */
  readonly snapshotSeq: number;
}

export interface Snapshot {
  /** The state holds every record up to and with this one. */
  readonly seq: number;
  readonly epoch: string;
  /** A Yjs update, V1. */
  readonly state: Uint8Array;
  readonly stateVector: Uint8Array;
}

export interface ReadRange {
  /** Only records after this `seq`. */
  readonly after?: number;
  /** Only records before this `seq`. */
  readonly before?: number;
  /** At most this many. */
  readonly limit: number;
  /** Stop once this many payload bytes are gathered; at least one record comes. */
  readonly maxBytes?: number;
  /** `newest`: the last `limit` of the range. Both come in order of `seq`. */
  readonly from?: 'oldest' | 'newest';
  /** Only records of this kind. */
  readonly kind?: string;
}

/** What retention needs to know of a room. Times are Unix ms. */
export interface RoomSurvey {
  readonly room: RoomName;
  /** `at` of the log's first record; null: it is empty. */
  readonly oldestRecordAt: number | null;
  /** `at` of each event's oldest state value. */
  readonly oldestStates: readonly { readonly event: string; readonly at: number }[];
  /** `seq` of the newest snapshot; 0: none. */
  readonly snapshotSeq: number;
}

export interface TrimOptions {
  /** Keep at most this many of the newest records. */
  readonly maxRecords?: number;
  /** Cut records whose `at` is before this, Unix ms. */
  readonly before?: number;
  /** Never cut beyond this `seq` (documents: the snapshot's). */
  readonly upTo?: number;
  /** Keep records until their payloads, newest first, come to more than this. */
  readonly keepBytes?: number;
}

/** What `eraseUser` found, by what became of it. */
export interface Erasure {
  /** Events of the user, in whatever room: an empty record stands in the place of each. */
  readonly records: number;
  /** The user's own room, with its notifications and read marks: 1 where there was one. It is gone, with its name. */
  readonly rooms: number;
  /** Documents that the user wrote in: the content stays, its author is nobody. */
  readonly documents: number;
  /** Their records that named the user. */
  readonly updates: number;
  /** Yjs client ids of the user: nobody's from now on. */
  readonly clientIds: number;
  /** Writing sessions, removed. */
  readonly sessions: number;
  /** Updates of the user that were set aside, removed. */
  readonly quarantined: number;
  /** State values that were the user's, removed. */
  readonly states: number;
  /** Grants and revocations, removed. */
  readonly grants: number;
  /** Idempotency keys, removed. */
  readonly keys: number;
  /** Records and state values of others whose JSON still holds the id as a value: they are theirs, and stay. */
  readonly mentions: number;
  /** Rooms that still have the id in their name, 100 at most. */
  readonly namedAfter: readonly string[];
}

/** How much is stored, and how much may be. */
export interface StoreSpace {
  /** Database and write-ahead log, without pages that are free to be written again. */
  readonly bytes: number;
  /** null: no limit but the disk's. */
  readonly quota: number | null;
  /** The limit is reached: whoever writes something new asks first, and is refused. What makes room goes on. */
  readonly full: boolean;
}

/**
 * Where records live. One writer per room: `open` is a lease. Implementations run the same contract suite
 * (`ashlar/store-contract`). Nothing here names a database.
 */
export interface Store {
  /** Drawn at random when this store was opened; written with each record. */
  readonly epoch: string;
  /**
   * Drawn at random when this data was first made, and copied with it: what a server seals positions with, so that a client can prove
   * having been further than the log goes now. 32 bytes, a secret.
   */
  readonly positionKey: Uint8Array;
  /**
   * Set where this store came up with fewer commits than it is known to have had: a log was cut, or an old copy put back. For
   * operators; what a client may go on from is decided by each record's epoch.
   */
  readonly wentBack?: { readonly commits: number; readonly witnessed: number } | undefined;
  /** As of the last commit; a store that does not measure itself leaves it out. */
  readonly space?: StoreSpace;
  /** Takes the lease of a room; a room that was never written is empty, not an error. @throws AshlarError `storage-damaged` | `storage-unavailable` */
  open(room: RoomName): Promise<RoomLease>;
  /**
   * Writes a group in one durable commit; resolves when it is on disk.
   * @returns one result per append, in order
   * @throws AshlarError `storage-full` (nothing was stored) or `storage-unavailable` (unknown: open the rooms again before the next append)
   */
  append(commit: Commit): Promise<readonly AppendResult[]>;
  /** Committed records, in order. @throws AshlarError `storage-damaged` where a checksum does not fit */
  read(room: RoomName, range: ReadRange): Promise<readonly LogRecord[]>;
  /** The epoch of one record; null where there is none, the trim mark's where it is the last one cut. */
  epochAt(room: RoomName, seq: number): Promise<string | null>;
  /** A record by its writer and `meta.id`, so that a repeat gets the first answer. */
  findById(room: RoomName, userId: string, id: string): Promise<LogRecord | null>;
  findSession(room: RoomName, session: string): Promise<SessionMark | null>;
  readSnapshot(room: RoomName): Promise<Snapshot | null>;
  /** Replaces the room's snapshot, durably; ignored where a newer one is there or the room was deleted meanwhile. */
  writeSnapshot(room: RoomName, snapshot: Snapshot): Promise<void>;
  /** The records of a room that were set aside, in order of `seq`. */
  readQuarantined(room: RoomName): Promise<readonly QuarantinedRecord[]>;
  /** Cuts the log's beginning and keeps the trim mark. @returns how many records went */
  trim(room: RoomName, options: TrimOptions): Promise<number>;
  /** Rooms that were ever written and are not deleted, by name, those after `after`. */
  listRooms(prefix: string, after: string | null, limit: number): Promise<readonly RoomName[]>;
  /** The same rooms as `listRooms('', …)`, with what retention needs to know of them. */
  surveyRooms(after: string | null, limit: number): Promise<readonly RoomSurvey[]>;
  /** A stored decision for one user in one room; null: none. */
  readGrant(room: RoomName, userId: string): Promise<Access | null>;
  /** Stores a decision; null removes it. Durable when it resolves. */
  writeGrant(room: RoomName, userId: string, access: Access | null, at: number): Promise<void>;
  findKey(userId: string, key: string): Promise<IdempotencyKey | null>;
  /** Removes idempotency keys from before this, Unix ms. */
  forgetKeys(before: number): Promise<number>;
  /**
   * Takes out or makes nobody's all that is stored of a user, durably, and brings it to where no file of the store holds it any more, free
   * pages and logs included. Rooms keep their numbers: what they are opened with is valid as before, but for the user's own room.
   * @throws AshlarError `invalid-room` where it is no user's id; `storage-full`, `storage-unavailable`: done in part at most, to be done again
   */
  eraseUser(userId: string): Promise<Erasure>;
  /** Proves that the store can write. @throws AshlarError as `append` */
  probe(): Promise<void>;
  /** Waits for what is under way and lets go of the data. */
  close(): Promise<void>;
}
