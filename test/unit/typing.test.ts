import { expect, test } from 'vitest';
import { createTyping } from '../../server/events/typing.ts';
import { parseRoomName } from '../../shared/room-name.ts';
import { createManualClock } from '../support/manual-clock.ts';

const ROOM = parseRoomName('chat:s1');
const OTHER = parseRoomName('chat:s2');
const anna = { id: 'anna', name: 'Anna', color: '#111111' };
const bob = { id: 'bob', name: 'Bob', color: '#222222' };

function setup() {
  const clock = createManualClock();
  const told: string[] = [];
  const typing = createTyping({
    clock,
    timeoutMs: 6_000,
    changed: ({ room, user, isTyping, socketId }) =>
      told.push(`${user.name} ${isTyping ? 'types' : 'stopped'} in ${room} by ${socketId}`),
  });
  return { clock, typing, tell: () => told.splice(0) };
}

test('typing is told, and its end', () => {
  const { typing, tell, clock } = setup();
  typing.set(ROOM, anna, 'a1', true);
  expect(tell()).toEqual(['Anna types in chat:s1 by a1']);
  typing.set(ROOM, anna, 'a1', false);
  expect(tell()).toEqual(['Anna stopped in chat:s1 by a1']);
  expect(clock.armed).toBe(0);
});

test('typing ends by itself, counted from when it was last said', () => {
  const { typing, tell, clock } = setup();
  typing.set(ROOM, anna, 'a1', true);
  clock.advance(5_999);
  typing.set(ROOM, anna, 'a1', true);
  expect(tell()).toEqual(['Anna types in chat:s1 by a1', 'Anna types in chat:s1 by a1']);
  clock.advance(5_999);
  expect(tell()).toEqual([]);
  clock.advance(1);
  expect(tell()).toEqual(['Anna stopped in chat:s1 by a1']);
  clock.advance(60_000);
  expect([tell(), clock.armed]).toEqual([[], 0]);
});

test('typing ends when its socket goes, in all rooms, and nobody else’s does', () => {
  const { typing, tell, clock } = setup();
  typing.set(ROOM, anna, 'a1', true);
  typing.set(OTHER, anna, 'a1', true);
  typing.set(ROOM, bob, 'b1', true);
  tell();
  typing.socketGone('a1');
  expect(tell()).toEqual(['Anna stopped in chat:s1 by a1', 'Anna stopped in chat:s2 by a1']);
  typing.socketGone('a1');
  typing.socketGone('never seen');
  expect([tell(), clock.armed]).toEqual([[], 1]);
});

test('typing ends when its socket leaves the room, and goes on elsewhere', () => {
  const { typing, tell } = setup();
  typing.set(ROOM, anna, 'a1', true);
  typing.set(OTHER, anna, 'a1', true);
  tell();
  typing.left(ROOM, 'a1');
  typing.left(ROOM, 'a1');
  expect(tell()).toEqual(['Anna stopped in chat:s1 by a1']);
  typing.socketGone('a1');
  expect(tell()).toEqual(['Anna stopped in chat:s2 by a1']);
});

test('a user on two devices stops when both have', () => {
  const { typing, tell, clock } = setup();
  typing.set(ROOM, anna, 'a1', true);
  clock.advance(3_000);
  typing.set(ROOM, anna, 'a2', true);
  tell();
  typing.set(ROOM, anna, 'a2', false);
  expect(tell()).toEqual([]);
  typing.set(ROOM, anna, 'a2', false);
  expect(tell()).toEqual([]);
  clock.advance(3_000);
  expect(tell()).toEqual(['Anna stopped in chat:s1 by a1']);
});

test('an end that was not known to begin is told, so that whoever missed the end sees it', () => {
  const { typing, tell } = setup();
  typing.set(ROOM, anna, 'a1', false);
  expect(tell()).toEqual(['Anna stopped in chat:s1 by a1']);
});

test('closing ends all timers and tells nobody', () => {
  const { typing, tell, clock } = setup();
  typing.set(ROOM, anna, 'a1', true);
  typing.set(OTHER, bob, 'b1', true);
  tell();
  typing.close();
  clock.advance(60_000);
  expect([tell(), clock.armed]).toEqual([[], 0]);
});
