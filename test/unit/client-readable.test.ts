import { expect, test, vi } from 'vitest';
import { Listeners } from '../../client/listeners.ts';
import { writable } from '../../client/readable.ts';

const fail = (error: unknown): never => {
  throw error;
};

test('whoever is taken out by another listener while a value is told hears nothing of it', () => {
  const value = writable(0, fail);
  const heard = vi.fn();
  value.subscribe(() => stop());
  const stop = value.subscribe(heard);
  value.set(1);
  expect(heard).not.toHaveBeenCalled();

  const listeners = new Listeners<{ moved: [place: number] }>(fail);
  listeners.on('moved', () => listeners.off('moved', heard));
  listeners.on('moved', heard);
  listeners.emit('moved', 1);
  expect(heard).not.toHaveBeenCalled();
});

test('a subscription that is ended twice ends once, also where it was the last', () => {
  const onLast = vi.fn();
  const value = writable(0, fail, { onFirst: () => onLast });
  const stop = value.subscribe(() => {});
  stop();
  stop();
  expect(onLast).toHaveBeenCalledTimes(1);
  value.subscribe(() => {});
  stop();
  expect(onLast).toHaveBeenCalledTimes(1);
});

test('one function that subscribes twice is told twice, and each of its subscriptions ends alone', () => {
  const onLast = vi.fn();
  const value = writable(0, fail, { onFirst: () => onLast });
  const heard = vi.fn();
  const stops = [value.subscribe(heard), value.subscribe(heard)];
  value.set(1);
  expect(heard).toHaveBeenCalledTimes(2);
  stops[0]?.();
  value.set(2);
  expect([heard.mock.calls.length, onLast.mock.calls.length]).toEqual([3, 0]);
  stops[1]?.();
  value.set(3);
  expect([heard.mock.calls.length, onLast.mock.calls.length]).toEqual([3, 1]);
});
