import { expect, test } from 'vitest';
import { MessageLine, Turns } from '../../server/sockets/message-line.ts';

/** A loop whose turns a test makes. */
function createLoop() {
  let callbacks: (() => void)[] = [];
  return {
    turns: new Turns((callback) => callbacks.push(callback)),
    turn(): number {
      const due = callbacks;
      callbacks = [];
      for (const callback of due) callback();
      return due.length;
    },
  };
}

function createLine() {
  const loop = createLoop();
  const handled: number[] = [];
  const line = new MessageLine<number>(loop.turns, (message) => {
    handled.push(message);
    if (message === 666) line.close();
  });
  const takeAll = (from: number, to: number) => {
    for (let message = from; message < to; message += 1) line.take(message);
  };
  return { ...loop, line, handled, takeAll };
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

test('what one read brings is handled at once, as long as it is little', () => {
  const { handled, takeAll, turn } = createLine();
  takeAll(0, 64);
  expect(handled).toEqual(upTo(64));
  turn();
  takeAll(64, 128);
  expect(handled).toEqual(upTo(128));
});

test('[5] a minute of messages in one write is handled in portions, a turn of the event loop each, in order', () => {
  const { handled, takeAll, turn } = createLine();
  takeAll(0, 200);
  const portions = [handled.length];
  while (turn() > 0 && portions.length < 10) portions.push(handled.length);
  expect(portions.slice(0, 4)).toEqual([64, 128, 192, 200]);
  expect(handled).toEqual(upTo(200));
});

test('what comes while others wait does not overtake them', () => {
  const { handled, takeAll, turn } = createLine();
  takeAll(0, 65);
  turn();
  expect(handled).toEqual(upTo(65));
  takeAll(65, 140);
  turn();
  takeAll(140, 150);
  for (let turns = 0; turns < 5; turns += 1) turn();
  expect(handled).toEqual(upTo(150));
});

test('several connections each have their portion of a turn', () => {
  const loop = createLoop();
  const handled: string[] = [];
  const lines = ['a', 'b'].map((name) => new MessageLine<number>(loop.turns, () => handled.push(name)));
  for (const line of lines) for (let message = 0; message < 100; message += 1) line.take(message);
  const count = (name: string) => handled.filter((each) => each === name).length;
  expect([count('a'), count('b')]).toEqual([64, 64]);
  loop.turn();
  expect([count('a'), count('b')]).toEqual([100, 100]);
});

test('what waits is forgotten when the connection ends, also by a message that waited', () => {
  const { handled, line, takeAll, turn } = createLine();
  takeAll(0, 70);
  line.close();
  turn();
  expect(handled).toEqual(upTo(64));
  turn();
  takeAll(0, 64);
  line.take(666);
  line.take(667);
  turn();
  expect(handled.at(-1)).toBe(666);
});

test('nothing is left to be called once all is handled', () => {
  const { takeAll, turn } = createLine();
  takeAll(0, 200);
  for (let turns = 0; turns < 6; turns += 1) turn();
  expect(turn()).toBe(0);
});
