import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { latestValue } from '../../client/latest-value.ts';
import { Listeners } from '../../client/listeners.ts';
import { writable } from '../../client/readable.ts';
import { createCatalog } from '../../shared/catalog.ts';
import { defineEvent } from '../../shared/define-event.ts';

const fail = (error: unknown): never => {
  throw error;
};
const level = (name: string) =>
  defineEvent({
    name,
    room: 'plant',
    sentBy: ['backend'],
    payload: z.object({ tank: z.string(), level: z.number() }),
    delivery: { class: 'state', key: ({ tank }) => tank },
  });
const events = [level('water:level'), level('oil:level')] as const;

/** A client in the room `plant`, which knows these values already. */
function inPlant(known: readonly { event: string; payload: { tank: string; level: number } }[]) {
  const listeners = new Listeners<Record<string, readonly unknown[]>>(fail);
  const left: string[] = [];
  const values = new Map(known.map((entry, index) => [String(index), { ...entry, meta: { room: 'plant', at: 0 } }]));
  const ports = {
    catalog: createCatalog([...events]),
    rooms: { cursor: () => ({ cursor: { values } }), join: async () => {}, leave: (room: string) => void left.push(room) },
    user: writable<{ id: string } | null>({ id: 'ada' }, fail),
    hub: listeners,
    report: fail,
  };
  return {
    left,
    latest: (event: string, key: string) => latestValue(ports as never, event, key),
    tell: (event: string, tank: string, value: number, room = 'plant') =>
      listeners.emit(event, { tank, level: value }, { room, at: 0 }),
  };
}

test('what is known of an event is shown at once, and nothing of another event or key, though it is of the same room', () => {
  const { latest } = inPlant([
    { event: 'oil:level', payload: { tank: 'a', level: 1 } },
    { event: 'water:level', payload: { tank: 'b', level: 2 } },
  ]);
  expect([latest('water:level', 'a').get(), latest('oil:level', 'b').get()]).toEqual([undefined, undefined]);
  expect(latest('oil:level', 'a').get()).toEqual({ tank: 'a', level: 1 });
});

test('while somebody watches it follows its event, key and room, and keeps the last value afterwards', () => {
  const { latest, tell, left } = inPlant([]);
  const water = latest('water:level', 'a');
  tell('water:level', 'a', 1);
  expect(water.get()).toBeUndefined();
  const stop = water.subscribe(() => {});
  tell('water:level', 'b', 2);
  tell('oil:level', 'a', 3);
  tell('water:level', 'a', 4, 'elsewhere');
  expect(water.get()).toBeUndefined();
  tell('water:level', 'a', 5);
  stop();
  tell('water:level', 'a', 6);
  expect([water.get(), left]).toEqual([{ tank: 'a', level: 5 }, ['plant']]);
});
