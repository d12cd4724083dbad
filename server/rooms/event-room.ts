import type { Access } from '../../shared/access.ts';
import type { Catalog } from '../../shared/catalog.ts';
import { AshlarError } from '../../shared/errors.ts';
import type { JoinOptions } from '../../shared/messages.ts';
import type { Position } from '../../shared/position.ts';
import type { User } from '../../shared/user.ts';
import { readPayload } from '../events/read-payload.ts';
import { writeTogether } from '../sockets/write-together.ts';
import { ERASED_KIND } from '../storage/erasure.ts';
import type { LogRecord } from '../storage/store.ts';
import type { Connection } from './connection.ts';
import { encodeDomainEvent, encodeState, logMeta } from './fan-out.ts';
import { Member } from './member.ts';
import { epochAt, positionOf, recover } from './recover.ts';
import type { Joined, Room, RoomContent } from './room.ts';

export interface EventRoomPorts {
  readonly catalog: Catalog;
  readonly overflowRecords: number;
  /** What a first join receives of the log up to `head`: unread records, and everything `after` a place. */
  history(room: Room, user: User, head: Position): Promise<{ readonly after: number; readonly unread: readonly LogRecord[] }>;
  catchUp(member: Member): void;
}

// What was erased has its number in the log, and nothing to tell.
function isEvent({ kind }: LogRecord): boolean {
  return kind !== ERASED_KIND;
}

/** A room whose content is domain events: state values and a log. */
export class EventRoom implements RoomContent {
  readonly busy = false;
  readonly #room: Room;
  readonly #ports: EventRoomPorts;

  constructor(room: Room, ports: EventRoomPorts) {
    this.#room = room;
    this.#ports = ports;
  }

  async join(connection: Connection, access: Access, options: JoinOptions): Promise<Joined> {
    const room = this.#room;
    const position = positionOf(options);
    const verdict = await recover(room, position, this.#ports.overflowRecords);
    // Committed state only: what is committed from here on comes from the log, behind the history.
    const head = room.head;
    const { sent, unread } =
      verdict === 'recovered' ? { sent: position ?? head, unread: [] } : await this.#history(connection, head);
    if (connection.closed) throw new AshlarError('not-connected');
    const member = new Member(connection, room, access, sent);
    member.unread = unread.filter(isEvent);
    const recovered = verdict === 'recovered' && position !== null;
    const first = member.unread[0];
    const keep = first === undefined ? sent : { epoch: first.epoch, seq: first.seq - 1 };
    return {
      member,
      answer: {
        room: room.name,
        access,
        recovered,
        ...(verdict === 'recovered' ? {} : { reason: verdict }),
        epoch: keep.epoch,
        seq: keep.seq,
        head: head.seq,
      },
      start: () => {
        const { outbox } = connection;
        // What changed since the join is among what follows.
        member.staleStates.clear();
        writeTogether(() => {
          for (const key of room.states.keys()) {
            if (outbox.queuedBytes <= outbox.portionBytes) this.sendState(member, key);
            else member.staleStates.set(key, true);
          }
        });
        member.delivery = 'catching-up';
        this.#ports.catchUp(member);
      },
    };
  }

  async #history(connection: Connection, head: Position): Promise<{ sent: Position; unread: readonly LogRecord[] }> {
    const room = this.#room;
    const { after, unread } = await this.#ports.history(room, connection.user, head);
    if (after >= head.seq) return { sent: head, unread };
    return { sent: { epoch: (await epochAt(room, after)) ?? head.epoch, seq: after }, unread };
  }

  sendRecords(member: Member, records: readonly LogRecord[], position?: Position): void {
    const events = records.filter(isEvent);
    writeTogether(() => {
      for (const record of events) this.#sendRecord(member, record, record === events.at(-1) ? position : undefined);
    });
  }

  sendState(member: Member, key: string): void {
    const state = this.#room.states.get(key);
    // What is kept here beside the catalog's events (read marks) is nobody's event.
    if (state === undefined || !this.#ports.catalog.has(state.event)) return;
    const packet = encodeState(this.#room, state);
    if (packet !== null) member.connection.outbox.force(packet);
  }

  flushed(): void {}

  reopened(): void {}

  dismissed(): void {}

  erased(): void {}

  left(): void {}

  #sendRecord(member: Member, record: LogRecord, position?: Position): void {
    const meta = { ...logMeta(this.#room, record), ...(position === undefined ? {} : { position }) };
    member.connection.outbox.force(encodeDomainEvent(record.kind, readPayload(this.#ports.catalog, record), meta));
  }
}
