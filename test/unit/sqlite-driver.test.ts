import { expect, test } from 'vitest';
import { checksumOf } from '../../server/storage/sqlite/checksum.ts';
import { loadSqlite } from '../../server/storage/sqlite/load-sqlite.ts';

test('a missing driver is told with the command that installs it', async () => {
  const missing = () => Promise.reject(Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' }));
  await expect(loadSqlite(missing)).rejects.toMatchObject({
    code: 'storage-unavailable',
    detail: expect.stringContaining('npm install better-sqlite3'),
  });
});

test('a driver that was compiled for another Node.js too', async () => {
  class Broken {
    constructor() {
      throw new Error('was compiled against a different Node.js version\nusing NODE_MODULE_VERSION 1');
    }
  }
  await expect(loadSqlite(async () => ({ default: Broken as never }))).rejects.toMatchObject({
    code: 'storage-unavailable',
    detail: expect.stringMatching(/npm install better-sqlite3 .*different Node\.js version\)$/),
  });
});

test('a checksum tells apart what differs only in where a field ends, in null, or in one bit', () => {
  const seen = [
    checksumOf(['ab', 'c']),
    checksumOf(['a', 'bc']),
    checksumOf(['abc']),
    checksumOf([null]),
    checksumOf(['n;']),
    checksumOf(['']),
    checksumOf([12, 3]),
    checksumOf([1, 23]),
    checksumOf(['1;']),
    checksumOf([], new Uint8Array([1]), new Uint8Array()),
    checksumOf([], new Uint8Array(), new Uint8Array([1])),
    checksumOf([], new Uint8Array([1, 0])),
    checksumOf([], new Uint8Array([1, 1])),
  ];
  expect(new Set(seen).size).toBe(seen.length);
});

test('no bytes give the same checksum, wherever they come from', async () => {
  const Sqlite = await loadSqlite();
  const db = new Sqlite(':memory:');
  const { empty } = db.prepare("SELECT x'' AS empty").get() as { empty: Uint8Array };
  db.close();
  expect(checksumOf(['a'], empty)).toBe(checksumOf(['a'], new Uint8Array()));
});
