import type { RoomReport, Verification } from '../storage/sqlite/verify.ts';

/** What one room holds, in one line. */
export function describeRoom({ room, deleted, records, bytes, head, trimmedTo, snapshotSeq, quarantined }: RoomReport): string {
  const parts = [count(records, 'record')];
  if (records > 0) parts.push(`${trimmedTo + 1} to ${head}`, `${Math.ceil(bytes / 1_024).toLocaleString('en')} kB`);
  if (snapshotSeq > 0) parts.push(`snapshot at ${snapshotSeq}`);
  if (quarantined.length > 0) {
    const named = quarantined.slice(0, 10).map(({ seq, userId }) => `${seq} by ${userId ?? 'the backend'}`);
    parts.push(
      `${count(quarantined.length, 'record')} in quarantine (${printable(named.join(', '))}${quarantined.length > 10 ? ', …' : ''})`,
    );
  }
  if (deleted) parts.push('deleted');
  return `${printable(room)}: ${parts.join(', ')}`;
}

/** One line for each thing that is wrong. */
export function describeDamage({ rooms, damage }: Verification): string[] {
  return [
    ...damage.map((sentence) => `DAMAGED ${printable(sentence)}`),
    ...rooms.flatMap((room) => room.damage.map((sentence) => `DAMAGED ${printable(room.room)}: ${printable(sentence)}`)),
  ];
}

/** All rooms in a few words. */
export function summarize({ rooms }: Verification): string {
  const sum = rooms.reduce((records, room) => records + room.records, 0);
  return `${count(rooms.length, 'room')}, ${count(sum, 'record')}`;
}

export function count(number: number, what: string): string {
  return `${number.toLocaleString('en')} ${what}${number === 1 ? '' : 's'}`;
}

/** Stored text may hold anything: nothing of it controls a terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, '\ufffd');
}
