import type { EventMeta } from '../../shared/position.ts';
import { type EncodedPacket, encodeEvent, encodeText } from '../sockets/encode-packet.ts';
import type { LogRecord, StateValue } from '../storage/store.ts';
import type { Member } from './member.ts';
import type { Room } from './room.ts';

/** A domain event, encoded once for all of its receivers. */
export function encodeDomainEvent(name: string, data: unknown, meta: EventMeta): EncodedPacket {
  return encodeEvent([name, data, meta], meta.room);
}

/** The same for a payload that is JSON already: what is stored and what is sent are one text. */
export function encodeJsonEvent(name: string, json: string, meta: EventMeta): EncodedPacket {
  return encodeText(`[${JSON.stringify(name)},${json},${JSON.stringify(meta)}]`, meta.room);
}

/** A state value as its event; null: it was taken out. Its text is sent as it is stored. */
export function encodeState(room: Room, state: StateValue): EncodedPacket | null {
  return state.value === null ? null : encodeJsonEvent(state.event, state.value, stateMeta(room, state));
}

/** The meta of a log event. */
export function logMeta(room: Room, record: LogRecord): EventMeta {
  return { room: room.name, at: record.at, seq: record.seq, epoch: record.epoch };
}

/** The meta of a state event. */
export function stateMeta(room: Room, state: StateValue): EventMeta {
  return { room: room.name, at: state.at, rev: state.rev, epoch: room.store.epoch };
}

/** Sends the record that was just committed, the room's head, to the live members. Who has no room for it is caught up from the log once its queue drains. */
export function fanOutLog(room: Room, packet: EncodedPacket, catchUp: (member: Member) => void): void {
  const position = room.head;
  for (const member of room.members.values()) {
    if (member.delivery !== 'live') continue;
    if (member.connection.outbox.offer(packet) === 'sent') member.sent = position;
    else fallBehind(member, catchUp);
  }
}

/** Sends a state value; who has no room for it gets the key's latest value later. */
export function fanOutState(room: Room, key: string, packet: EncodedPacket): void {
  for (const member of room.members.values()) {
    if (member.delivery === 'live' && member.connection.outbox.offer(packet) === 'sent') continue;
    if (member.delivery === 'live' && member.staleStates.size === 0) {
      member.connection.outbox.whenDrained(() => sendStaleStates(member));
    }
    member.staleStates.set(key, true);
    room.tally.conflated();
  }
}

/** Sends an event that is now or never. */
export function fanOutEphemeral(room: Room, packet: EncodedPacket, except?: Member): void {
  for (const member of room.members.values()) {
    if (member === except || member.delivery === 'waiting') continue;
    if (member.connection.outbox.offer(packet) === 'full') room.tally.dropped();
  }
}

/** From now on the member is served from the log. */
export function fallBehind(member: Member, catchUp: (member: Member) => void): void {
  member.delivery = 'catching-up';
  member.connection.outbox.whenDrained(() => catchUp(member));
}

/** State values that changed while the member could not take them: the latest of each. */
export function sendStaleStates(member: Member): void {
  if (member.gone || member.delivery !== 'live') return;
  const { outbox } = member.connection;
  for (const key of member.staleStates.keys()) {
    if (outbox.queuedBytes > outbox.portionBytes) {
      outbox.whenDrained(() => sendStaleStates(member));
      return;
    }
    member.staleStates.delete(key);
    member.room.content.sendState(member, key);
  }
}
