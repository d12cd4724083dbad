import { beforeEach, expect, test } from 'vitest';
import { PositionSeal } from '../../server/documents/position-seal.ts';
import { RESTORE_MS, WentBack } from '../../server/documents/went-back.ts';
import type { Room } from '../../server/rooms/room.ts';
import { documentRoom } from '../../shared/room-name.ts';
import { createManualClock } from '../support/manual-clock.ts';

const KEY = new Uint8Array(32).fill(1);
const notes = { name: documentRoom('notes'), incarnation: '0' };
const place = { epoch: 'epoch', seq: 7 };

test('[4] a sealed position is genuine in its document, its life, at its place and under its key, and nowhere else', () => {
  const seal = new PositionSeal(KEY);
  const epoch = seal.seal(notes, place);
  expect(epoch.length).toBeLessThanOrEqual(64);
  expect(seal.open(notes, { epoch, seq: 7 })).toEqual({ position: place, isGenuine: true });
  const [plain, sealOf] = epoch.split('.');
  const strangers: [PositionSeal, typeof notes, typeof place][] = [
    [seal, notes, { epoch, seq: 8 }],
    [seal, notes, { epoch: `another.${sealOf}`, seq: 7 }],
    [seal, notes, { epoch: `${epoch}x`, seq: 7 }],
    [seal, notes, { epoch: `${plain}.`, seq: 7 }],
    [seal, { ...notes, name: documentRoom('other') }, { epoch, seq: 7 }],
    [seal, { ...notes, incarnation: '1' }, { epoch, seq: 7 }],
    [new PositionSeal(new Uint8Array(32)), notes, { epoch, seq: 7 }],
  ];
  for (const [by, log, shown] of strangers) expect([shown, by.open(log, shown).isGenuine]).toEqual([shown, false]);
  expect(seal.open(notes, place)).toEqual({ position: place, isGenuine: false });
});

test('the place before the first record proves nothing, and has no seal', () => {
  expect(new PositionSeal(KEY).seal(notes, { epoch: 'epoch', seq: 0 })).toBe('epoch');
});

let clock: ReturnType<typeof createManualClock>;
let said: unknown[];
beforeEach(() => {
  clock = createManualClock();
  said = [];
});

const open = (wentBack?: { commits: number; witnessed: number }) =>
  new WentBack({ clock, store: { positionKey: KEY, wentBack }, log: { error: (fields: unknown) => void said.push(fields) } });

/** A document whose log has a record of that time at the place that is shown, or ends before it. */
function roomWith(at: number | null): Room {
  const read = async () => (at === null ? [] : [{ seq: place.seq, at }]);
  return { name: notes.name, head: { epoch: 'now', seq: 3 }, store: { read } } as unknown as Room;
}

test('a position that was lost opens its document for 24 hours from the start, and no other, and is logged once', async () => {
  const wentBack = open();
  expect(wentBack.mayRestore(notes.name)).toBe(false);
  await wentBack.show(roomWith(null), place);
  await wentBack.show(roomWith(null), place);
  expect(said).toEqual([{ room: notes.name, shown: 7, head: 3 }]);
  expect([wentBack.mayRestore(notes.name), wentBack.mayRestore(documentRoom('other'))]).toEqual([true, false]);
  clock.advance(RESTORE_MS - 1);
  expect(wentBack.mayRestore(notes.name)).toBe(true);
  clock.advance(1);
  expect(wentBack.mayRestore(notes.name)).toBe(false);
  await wentBack.show(roomWith(null), place);
  expect(wentBack.mayRestore(notes.name)).toBe(false);
});

test('a crowd that shows at once what was lost is one line in the log', async () => {
  const wentBack = open();
  await Promise.all(Array.from({ length: 50 }, () => wentBack.show(roomWith(null), place)));
  expect(said).toHaveLength(1);
});

test('where the witness knows it, every document is open for that time', () => {
  const wentBack = open({ commits: 1, witnessed: 2 });
  expect(wentBack.mayRestore(notes.name)).toBe(true);
  clock.advance(RESTORE_MS);
  expect(wentBack.mayRestore(notes.name)).toBe(false);
});

test('an old proof opens nothing again: the log has had another record in its place for a day', async () => {
  const wentBack = open();
  await wentBack.show(roomWith(clock.now() - RESTORE_MS), place);
  expect(wentBack.mayRestore(notes.name)).toBe(false);
  await wentBack.show(roomWith(clock.now() - RESTORE_MS + 1), place);
  expect(wentBack.mayRestore(notes.name)).toBe(true);
});

test('a document that begins anew has lost nothing', async () => {
  const wentBack = open({ commits: 1, witnessed: 2 });
  wentBack.forget(notes.name);
  expect([wentBack.mayRestore(notes.name), wentBack.mayRestore(documentRoom('other'))]).toEqual([false, true]);
});
