import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Db, loadSqlite } from '../../server/storage/sqlite/load-sqlite.ts';
import { createSpaceMeter } from '../../server/storage/sqlite/space.ts';
import type { StoreSpace } from '../../server/storage/store.ts';

const Sqlite = await loadSqlite();
const PAGE = 4_096;
/** Of which 2 % are two pages. */
const quota = { bytes: 100 * PAGE, warnAt: 0.8 };
let db: Db;

beforeEach(() => {
  db = new Sqlite(':memory:');
  db.pragma(`page_size = ${PAGE}`);
  db.exec('CREATE TABLE blobs (id INTEGER PRIMARY KEY, blob BLOB)');
});
afterEach(() => {
  db.close();
});

const storedPages = () =>
  (db.pragma('page_count', { simple: true }) as number) - (db.pragma('freelist_count', { simple: true }) as number);
/** Takes about a page each. */
const write = () => db.prepare('INSERT INTO blobs (blob) VALUES (?)').run(Buffer.alloc(PAGE - 100));
const remove = () => db.exec('DELETE FROM blobs WHERE id = (SELECT max(id) FROM blobs)');

function pagesWhen(step: () => unknown, measure: () => boolean): number {
  for (let left = 300; left > 0 && !measure(); left--) step();
  return storedPages();
}

test('a store is full at its quota, and takes more only once a fiftieth of the quota is free', () => {
  const meter = createSpaceMeter(db, quota, () => {});
  const isFull = () => {
    meter.measure(0);
    return meter.full;
  };
  expect(pagesWhen(write, isFull)).toBe(100);
  expect(pagesWhen(remove, () => !isFull())).toBe(97);
  write();
  expect(isFull()).toBe(false);
  expect(pagesWhen(write, isFull)).toBe(100);
});

test('what is stored is told at the start, when the store becomes full or is so no more, and as it grows between', () => {
  const told: StoreSpace[] = [];
  const meter = createSpaceMeter(db, quota, (space) => told.push(space));
  meter.measure(0);
  meter.measure(0);
  expect(told).toEqual([{ bytes: storedPages() * PAGE, quota: quota.bytes, full: false }]);
  // The first goes where the table begins.
  write();
  write();
  meter.measure(0);
  expect(told, 'each hundredth of a small quota').toHaveLength(2);
  while (storedPages() < 100) write();
  meter.measure(0);
  expect(told.at(-1)).toMatchObject({ full: true });
  for (let left = 3; left > 0; left--) remove();
  meter.measure(0);
  expect(told.slice(2).map(({ full }) => full)).toEqual([true, false]);
});

test('without a quota nothing is ever full', () => {
  const meter = createSpaceMeter(db, undefined, () => {});
  meter.measure(Number.MAX_SAFE_INTEGER);
  expect(meter.full).toBe(false);
});
