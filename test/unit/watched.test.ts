import { expect, test, vi } from 'vitest';
import { writable } from '../../client/readable.ts';
import { relayed, watched } from '../../client/watched.ts';

const settled = () => new Promise<void>((resolve) => queueMicrotask(resolve));

function counted() {
  const counts = { started: 0, stopped: 0 };
  const value = watched(0, (store) => {
    counts.started++;
    store.set(store.get() + 1);
    return [() => counts.stopped++, () => {}];
  });
  return { counts, value };
}

test('making one does nothing; it works while somebody subscribes', async () => {
  const { counts, value } = counted();
  expect([counts.started, value.get()]).toEqual([0, 0]);
  const [one, two] = [value.subscribe(() => {}), value.subscribe(() => {})];
  expect([counts.started, value.get()]).toEqual([1, 1]);
  one();
  one();
  await settled();
  expect(counts.stopped).toBe(0);
  two();
  expect(counts.stopped).toBe(0);
  await settled();
  expect(counts).toEqual({ started: 1, stopped: 1 });
  value.subscribe(() => {});
  expect(counts.started).toBe(2);
});

test('a subscriber that goes and comes back at once interrupts nothing', async () => {
  const { counts, value } = counted();
  value.subscribe(() => {})();
  const stop = value.subscribe(() => {});
  await settled();
  expect(counts).toEqual({ started: 1, stopped: 0 });
  stop();
  await settled();
  expect(counts.stopped).toBe(1);
});

test('one that cannot start says so to whoever subscribes, and may be tried again', () => {
  let broken = true;
  const value = watched(0, () => {
    if (broken) throw new Error('no');
    return [];
  });
  expect(() => value.subscribe(() => {})).toThrow('no');
  broken = false;
  const heard = vi.fn();
  value.subscribe(heard);
  value.set(1);
  expect(heard).toHaveBeenCalledExactlyOnceWith(1);
});

test('a relayed value follows its source while watched, and shows what it is when asked again', async () => {
  const { value: source } = counted();
  const relay = relayed(source);
  const stop = relay.subscribe(() => {});
  source.set(7);
  expect(relay.get()).toBe(7);
  stop();
  await settled();
  source.set(8);
  relay.subscribe(() => {});
  expect(relay.get()).toBe(9);
});

test('one that cannot start beside another that is about to stop starts behind it', async () => {
  let holder: string | null = null;
  const holding = (name: string) =>
    watched(name, () => {
      if (holder !== null) throw new Error(`${holder} holds it`);
      holder = name;
      return [() => (holder = null)];
    });
  const [one, two] = [holding('one'), holding('two')];
  const stop = one.subscribe(() => {});
  expect(() => two.subscribe(() => {})).toThrow('one holds it');
  stop();
  two.subscribe(() => {});
  expect(holder).toBe('two');
  await settled();
  expect(holder).toBe('two');
});

test('another’s value is of now for whoever subscribes, also where it changed while nobody did', async () => {
  const source = writable(1, () => {});
  const value = relayed(source);
  source.set(2);
  const first = value.subscribe(() => {});
  expect(value.get()).toBe(2);
  first();
  await settled();
  source.set(3);
  expect(value.get()).toBe(2);
  const second = value.subscribe(() => {});
  expect(value.get()).toBe(3);
  second();
});
