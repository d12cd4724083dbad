import type { Catalog } from '../../shared/catalog.ts';
import { isDocumentRoom } from '../../shared/room-name.ts';
import type { Clock } from '../clock.ts';
import type { Settings } from '../options.ts';
import type { Room } from '../rooms/room.ts';
import type { Rooms } from '../rooms/rooms.ts';
import type { RoomSurvey, StateValue, Store } from '../storage/store.ts';

// Cutting costs a write: not with each record.
const EVERY_RECORDS = 200;
const PAGE = 500;
const HOUR_MS = 3_600_000;

export interface RetentionPorts {
  readonly clock: Clock;
  readonly store: Store;
  readonly rooms: Rooms;
  readonly catalog: Catalog;
  readonly limits: Settings['retention'];
  readonly log: { warn(fields: object, message: string): void };
}

/**
 * Keeps of each room what its delivery classes are to keep: by number as a room grows, by age in a round over all rooms, so that
 * what nobody touches any more goes too. Document logs are cut under their snapshot alone, here and after each compaction.
 */
export class Retention {
  readonly #ports: RetentionPorts;
  readonly #lastCut = new WeakMap<Room, number>();
  #cancel: () => void = () => {};
  #closed = false;

  constructor(ports: RetentionPorts) {
    this.#ports = ports;
    this.#roundLater();
  }

  /** A room of events has a new record or state value. */
  grown(room: Room): void {
    this.#attempt(room.name, this.#cutGrownLog(room));
    this.#attempt(room.name, this.#cutSurplusStates(room));
  }

  /** One round over all rooms. Resolves when what is too old is gone. */
  async round(): Promise<void> {
    const { store, log } = this.#ports;
    for (let after: string | null = null; !this.#closed; ) {
      const page: readonly RoomSurvey[] = await store.surveyRooms(after, PAGE);
      for (const survey of page) {
        // One damaged room must not end the round for all behind it.
        await this.#cutOld(survey).catch((error: unknown) => log.warn({ room: survey.room, err: error }, 'retention:failed'));
      }
      if (page.length < PAGE) return;
      after = page.at(-1)?.room ?? null;
    }
  }

  /** Ends the rounds. */
  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  #roundLater(): void {
    const { clock, limits, log } = this.#ports;
    const ages = [limits.log.maxAgeMs, limits.state.maxAgeMs, limits.documents.maxAgeMs].filter((age) => age !== undefined);
    const every = Math.min(HOUR_MS, Math.max(1_000, Math.min(...ages) / 10));
    this.#cancel = clock.after(every, () => {
      this.round()
        .catch((error: unknown) => log.warn({ err: error }, 'retention:failed'))
        .finally(() => {
          if (!this.#closed) this.#roundLater();
        });
    });
  }

  async #cutOld({ room: name, oldestRecordAt, oldestStates, snapshotSeq }: RoomSurvey): Promise<void> {
    const { clock, store, rooms, catalog, limits } = this.#ports;
    const isOld = (at: number | null, maxAgeMs: number | undefined) =>
      at !== null && maxAgeMs !== undefined && at < clock.now() - maxAgeMs;
    if (isDocumentRoom(name)) {
      const { maxAgeMs, maxRecords, keepBytes } = limits.documents;
      if (snapshotSeq === 0 || !isOld(oldestRecordAt, maxAgeMs)) return;
      const cut = await store.trim(name, {
        before: clock.now() - maxAgeMs,
        keepBytes,
        upTo: snapshotSeq,
        ...(maxRecords === undefined ? {} : { maxRecords }),
      });
      if (cut > 0) await this.#noteTrim(rooms.peek(name));
      return;
    }
    if (isOld(oldestRecordAt, limits.log.maxAgeMs)) {
      const cut = await store.trim(name, { before: clock.now() - (limits.log.maxAgeMs ?? 0) });
      if (cut > 0) await this.#noteTrim(rooms.peek(name));
    }
    if (oldestStates.some(({ event, at }) => catalog.has(event) && isOld(at, limits.state.maxAgeMs))) {
      const room = await rooms.open(name);
      await room.dropStates(this.#statesOf(room).filter(({ at }) => isOld(at, limits.state.maxAgeMs)));
    }
  }

  async #cutGrownLog(room: Room): Promise<void> {
    const { clock, limits } = this.#ports;
    const { maxRecords, maxAgeMs } = limits.log;
    if (maxRecords === undefined && maxAgeMs === undefined) return;
    const since = this.#lastCut.get(room) ?? room.trimmedTo;
    if (room.head.seq - since < EVERY_RECORDS) return;
    this.#lastCut.set(room, room.head.seq);
    const cut = await room.store.trim(room.name, {
      ...(maxRecords === undefined ? {} : { maxRecords }),
      ...(maxAgeMs === undefined ? {} : { before: clock.now() - maxAgeMs }),
    });
    if (cut > 0) await this.#noteTrim(room);
  }

  async #cutSurplusStates(room: Room): Promise<void> {
    const { maxRecords } = this.#ports.limits.state;
    // Read marks are among them: the first look is a cheap one.
    if (maxRecords === undefined || room.states.size <= maxRecords) return;
    const states = this.#statesOf(room).sort((a, b) => a.rev - b.rev);
    await room.dropStates(states.slice(0, Math.max(0, states.length - maxRecords)));
  }

  /** The values of the catalog's events: what is kept beside them (read marks) is no state event. */
  #statesOf(room: Room): StateValue[] {
    return [...room.states.values()].filter(({ event, value }) => value !== null && this.#ports.catalog.has(event));
  }

  async #noteTrim(room: Room | undefined): Promise<void> {
    if (room === undefined) return;
    const [first] = await room.store.read(room.name, { limit: 1 });
    room.trimmedTo = first === undefined ? room.head.seq : first.seq - 1;
  }

  #attempt(room: string, cutting: Promise<void>): void {
    cutting.catch((error: unknown) => this.#ports.log.warn({ room, err: error }, 'retention:failed'));
  }
}
