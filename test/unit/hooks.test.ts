import { expect, test } from 'vitest';
import { Hooks } from '../../server/hooks.ts';

test('[5] a product’s hook that throws, rejects or never ends stops no other, and is told by name', async () => {
  const failed: string[] = [];
  const hooks = new Hooks((name, error) => failed.push(`${name}: ${(error as Error).message}`));
  const heard: string[] = [];
  const user = { id: 'ada', name: 'Ada', color: '#336699', roles: [], permissions: [] };
  hooks.on('connection', () => {
    throw new Error('at once');
  });
  hooks.on('connection', async () => {
    throw new Error('later');
  });
  hooks.on('connection', () => new Promise(() => {}));
  const off = hooks.on('connection', ({ socketId }) => heard.push(socketId));
  hooks.emit('connection', { user, socketId: 's1' });
  off();
  hooks.emit('connection', { user, socketId: 's2' });
  await new Promise(setImmediate);
  expect(heard).toEqual(['s1']);
  expect(failed.sort()).toEqual(['connection: at once', 'connection: at once', 'connection: later', 'connection: later']);
});

test('a hook that takes itself off and puts itself up anew is called once for each event', () => {
  const hooks = new Hooks(() => {});
  let calls = 0;
  let off = (): void => {};
  const once = () => {
    off();
    calls += 1;
    if (calls < 100) off = hooks.on('storage:quota', once);
  };
  off = hooks.on('storage:quota', once);
  hooks.emit('storage:quota', { state: 'full', bytes: 2, quota: 1 });
  expect(calls).toBe(1);
  hooks.emit('storage:quota', { state: 'ok', bytes: 0, quota: 1 });
  expect(calls).toBe(2);
});
