import type { Catalog } from '../../shared/catalog.ts';
import { isDocumentRoom, type RoomName } from '../../shared/room-name.ts';
import type { Clock } from '../clock.ts';
import type { Settings } from '../options.ts';
import type { Room } from '../rooms/room.ts';
import type { Rooms } from '../rooms/rooms.ts';
import type { RoomSurvey, StateValue, Store, TrimOptions } from '../storage/store.ts';

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
    const { log, state } = this.#ports.limits;
    const limited = log.maxRecords !== undefined || log.maxAgeMs !== undefined;
    // On the way of each event: a comparison, and no promise, unless there is something to cut.
    if (limited && room.head.seq - (this.#lastCut.get(room) ?? room.trimmedTo) >= EVERY_RECORDS)
      this.#attempt(room.name, this.#cutGrownLog(room));
    // Read marks are among them: the first look is a cheap one.
    if (state.maxRecords !== undefined && room.states.size > state.maxRecords)
      this.#attempt(room.name, this.#cutSurplusStates(room, state.maxRecords));
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
    const { clock, rooms, catalog, limits } = this.#ports;
    const isOld = (at: number | null, maxAgeMs: number | undefined) =>
      at !== null && maxAgeMs !== undefined && at < clock.now() - maxAgeMs;
    if (isDocumentRoom(name)) {
      const { maxAgeMs, maxRecords, keepBytes } = limits.documents;
      if (snapshotSeq === 0 || !isOld(oldestRecordAt, maxAgeMs)) return;
      await this.#trim(name, {
        before: clock.now() - maxAgeMs,
        keepBytes,
        upTo: snapshotSeq,
        ...(maxRecords === undefined ? {} : { maxRecords }),
      });
      return;
    }
    if (isOld(oldestRecordAt, limits.log.maxAgeMs)) {
      await this.#trim(name, { before: clock.now() - (limits.log.maxAgeMs ?? 0) });
    }
    if (oldestStates.some(({ event, at }) => catalog.has(event) && isOld(at, limits.state.maxAgeMs))) {
      const room = await rooms.open(name);
      await room.dropStates(this.#statesOf(room).filter(({ at }) => isOld(at, limits.state.maxAgeMs)));
    }
  }

  async #cutGrownLog(room: Room): Promise<void> {
    const { clock, limits } = this.#ports;
    const { maxRecords, maxAgeMs } = limits.log;
    this.#lastCut.set(room, room.head.seq);
    await room.trim({
      ...(maxRecords === undefined ? {} : { maxRecords }),
      ...(maxAgeMs === undefined ? {} : { before: clock.now() - maxAgeMs }),
    });
  }

  async #cutSurplusStates(room: Room, maxRecords: number): Promise<void> {
    const states = this.#statesOf(room).sort((a, b) => a.rev - b.rev);
    await room.dropStates(states.slice(0, Math.max(0, states.length - maxRecords)));
  }

  /** The values of the catalog's events: what is kept beside them (read marks) is no state event. */
  #statesOf(room: Room): StateValue[] {
    return [...room.states.values()].filter(({ event, value }) => value !== null && this.#ports.catalog.has(event));
  }

  /** A room in memory notes where its log begins; another is told when it is opened. */
  #trim(name: RoomName, options: TrimOptions): Promise<number> {
    const { rooms, store } = this.#ports;
    return rooms.peek(name)?.trim(options) ?? store.trim(name, options);
  }

  #attempt(room: RoomName, cutting: Promise<void>): void {
    cutting.catch((error: unknown) => this.#ports.log.warn({ room, err: error }, 'retention:failed'));
  }
}
