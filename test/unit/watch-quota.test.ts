import { expect, test } from 'vitest';
import { watchQuota } from '../../server/storage/watch-quota.ts';

function ring() {
  const told: unknown[] = [];
  const log = (level: string) => (fields: object, message: string) => void told.push({ level, message, ...fields });
  const watch = watchQuota({
    warnAt: 0.8,
    log: { info: log('info'), warn: log('warn'), error: log('error') },
    changed: ({ state }) => void told.push(state),
  });
  return { told, watch };
}

test('the alarm goes once at its part of the quota, at the quota, and ends well below', () => {
  const { told, watch } = ring();
  const at = (bytes: number, full = false) => {
    watch({ bytes, quota: 1_000, full });
    return told.splice(0);
  };
  expect(at(799)).toEqual([]);
  expect(at(800)).toEqual([{ level: 'warn', message: 'storage:quota', state: 'warning', bytes: 800, quota: 1_000 }, 'warning']);
  expect(at(810)).toEqual([]);
  expect(at(760)).toEqual([]);
  expect(at(1_000, true)).toEqual([
    { level: 'error', message: 'storage:quota', state: 'full', bytes: 1_000, quota: 1_000 },
    'full',
  ]);
  expect(at(1_010, true)).toEqual([]);
  expect(at(970)).toEqual([expect.objectContaining({ level: 'warn', state: 'warning' }), 'warning']);
  expect(at(749)).toEqual([expect.objectContaining({ level: 'info', state: 'ok' }), 'ok']);
  expect(at(799)).toEqual([]);
});

test('without a quota nothing rings', () => {
  const { told, watch } = ring();
  watch({ bytes: 10 ** 12, quota: null, full: false });
  expect(told).toEqual([]);
});
