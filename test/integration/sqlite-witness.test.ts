import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSqliteStore } from '../../server/storage/sqlite/sqlite-store.ts';
import type { Store } from '../../server/storage/store.ts';
import { createSystemClock } from '../../server/system-clock.ts';
import type { EventMeta } from '../../shared/position.ts';
import { parseRoomName } from '../../shared/room-name.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { ask, startServer, tokenFor } from '../support/start-server.ts';

const room = parseRoomName('chat:a');
let folder: string;
let dataDir: string;
const stores: Store[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ashlar-witness-'));
  dataDir = join(folder, 'data');
});
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
  rmSync(folder, { recursive: true });
});

interface Line {
  readonly level: string;
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

/** Opens the store; `log` has what it told. */
async function open(clock = createSystemClock()) {
  const log: Line[] = [];
  const note = (level: string) => (fields: object, message: string) => void log.push({ level, fields: { ...fields }, message });
  const store = await openSqliteStore({
    dataDir,
    clock,
    log: { info: note('info'), warn: note('warn'), error: note('error') },
  });
  stores.push(store);
  return { store, log };
}

async function append(store: Store, texts: readonly string[]) {
  const { fence, head } = await store.open(room);
  for (const [index, text] of texts.entries()) {
    const record = {
      at: 1,
      userId: null,
      kind: 'k',
      version: 1,
      id: null,
      session: null,
      counter: 0,
      payload: Buffer.from(text),
    };
    await store.append({ appends: [{ room, fence, expectedHead: head + index, records: [record] }] });
  }
}

const copy = (to: string) => cpSync(dataDir, join(folder, to), { recursive: true });
const putBack = (from: string, name: string) => cpSync(join(folder, from, name), join(dataDir, name));
const witnessFile = () => join(dataDir, 'ashlar.witness');
const witnessed = () => (JSON.parse(readFileSync(witnessFile(), 'utf8')) as { commits: number }).commits;

describe('a database that is as it was left', () => {
  test('starts without a word, whether it was closed or not', async () => {
    const { store, log } = await open();
    expect(log).toEqual([]);
    await append(store, ['a', 'b']);
    copy('as after a crash');
    await store.close();
    const again = await open();
    expect([again.log, again.store.wentBack]).toEqual([[], undefined]);
    await again.store.close();

    rmSync(dataDir, { recursive: true });
    cpSync(join(folder, 'as after a crash'), dataDir, { recursive: true });
    expect((await open()).log).toEqual([]);
  });

  test('is witnessed a second after a commit, once however many there were, and not before', async () => {
    const clock = createManualClock();
    const { store } = await open(clock);
    const before = witnessed();
    await append(store, ['a', 'b', 'c']);
    expect(clock.armed).toBe(1);
    clock.advance(999);
    expect(witnessed()).toBe(before);
    clock.advance(1);
    while (witnessed() === before) await new Promise(setImmediate);
    expect(witnessed()).toBe(before + 4);
    expect(clock.armed).toBe(0);
    // And again, for as long as there are commits.
    await append(store, ['d']);
    expect(clock.armed).toBe(1);
    clock.advance(1_000);
    while (witnessed() === before + 4) await new Promise(setImmediate);
    expect(witnessed()).toBe(before + 6);
    await append(store, ['e']);
    await store.close();
    expect(witnessed()).toBe(before + 8);
    expect(clock.armed).toBe(0);
  });
});

describe('a database that went back is told, loudly, and is used', () => {
  async function expectAlarm() {
    const { store, log } = await open();
    expect(log).toEqual([
      {
        level: 'error',
        message: 'storage:went-back',
        fields: expect.objectContaining({ ...store.wentBack, file: witnessFile() }),
      },
    ]);
    expect(store.wentBack?.commits).toBeLessThan(store.wentBack?.witnessed ?? 0);
    await append(store, ['on']);
    await store.close();
    // Told once: from here on this is the database.
    expect((await open()).log).toEqual([]);
  }

  test('the write-ahead log was deleted', async () => {
    const { store } = await open();
    await append(store, ['a', 'b', 'c']);
    copy('running');
    await store.close();
    putBack('running', 'ashlar.db');
    await expectAlarm();
  });

  test('the write-ahead log was cut', async () => {
    const { store } = await open();
    await append(store, Array(50).fill('a'));
    copy('running');
    await store.close();
    for (const name of ['ashlar.db', 'ashlar.db-wal']) putBack('running', name);
    truncateSync(join(dataDir, 'ashlar.db-wal'), 100_000);
    await expectAlarm();
  });

  test('an old copy was put back with cp', async () => {
    const { store } = await open();
    await append(store, ['a']);
    await store.close();
    copy('old');
    const again = await open();
    await append(again.store, ['b']);
    await again.store.close();
    putBack('old', 'ashlar.db');
    await expectAlarm();
  });
});

describe('a witness that is no use', () => {
  async function leave(): Promise<void> {
    const { store } = await open();
    await append(store, ['a']);
    await store.close();
  }

  test('is missed where the database is not new, and made anew', async () => {
    await leave();
    rmSync(witnessFile());
    const { log, store } = await open();
    expect(log).toEqual([
      { level: 'warn', message: 'storage:no-witness', fields: expect.objectContaining({ reason: 'missing' }) },
    ]);
    expect(store.wentBack).toBeUndefined();
    expect(existsSync(witnessFile())).toBe(true);
  });

  test.each([
    ['empty', ''],
    ['torn', '{"commits":99999,"che'],
    ['flipped', (text: string) => text.replace(/\d/, (digit) => String((Number(digit) + 1) % 10))],
    ['something else', '[]'],
    ['null', 'null'],
  ])('is not believed where it is %s, and made anew', async (_, spoilt) => {
    await leave();
    const text = readFileSync(witnessFile(), 'utf8');
    writeFileSync(witnessFile(), typeof spoilt === 'string' ? spoilt : spoilt(text));
    const { log } = await open();
    expect(log).toMatchObject([{ level: 'warn', message: 'storage:no-witness', fields: { reason: 'unreadable' } }]);
    expect(readFileSync(witnessFile(), 'utf8')).toBe(text);
  });

  test('that cannot be written is told once, and stops nothing', async () => {
    const clock = createManualClock();
    const { store, log } = await open(clock);
    // A folder in its place.
    mkdirSync(`${witnessFile()}.new`);
    await append(store, ['a']);
    clock.advance(1_000);
    while (log.length === 0) await new Promise(setImmediate);
    await append(store, ['b']);
    await store.close();
    expect(log.map(({ message }) => message)).toEqual(['storage:witness-failed']);
  });
});

test('a database of the schema before is brought along: its proofs of writing become its commits', async () => {
  const { store } = await open();
  await append(store, ['a']);
  await store.close();
  const db = new Database(join(dataDir, 'ashlar.db'));
  db.exec('ALTER TABLE counters DROP COLUMN positionKey; DROP TABLE quarantined');
  db.exec('ALTER TABLE counters RENAME COLUMN commits TO probes; PRAGMA user_version = 1');
  db.close();
  const again = await open();
  expect(again.log.map(({ message }) => message)).toContain('storage:backed-up-before-migration');
  const backup = new Database(join(dataDir, 'schema-1-backup.db'), { readonly: true });
  expect(backup.pragma('user_version', { simple: true }), 'as it was, for whoever goes back').toBe(1);
  expect(backup.prepare('SELECT count(*) FROM records').pluck().get()).toBe(1);
  backup.close();
  expect(await again.store.read(room, { limit: 9 })).toHaveLength(1);
  await append(again.store, ['b']);
  await again.store.close();
  expect((await open()).log).toEqual([]);
});

test('[2] old copy put back with cp: a client with a newer position gets `epoch`, also once the head has passed it', async () => {
  const said: string[] = [];
  const logger = pino({ level: 'error' }, { write: (line: string) => void said.push((JSON.parse(line) as { msg: string }).msg) });
  const publish = async (count: number) => {
    await using server = await startServer({ dataDir, logger });
    let meta: EventMeta | undefined;
    for (let index = 0; index < count; index++) {
      const timestamp = new Date().toISOString();
      const message = { id: `m${index}`, sessionId: 'a', content: 'x', sender: 'assistant' as const, timestamp };
      meta = await server.realtime.toRoom('chat:a', 'chat:message', message);
    }
    return { epoch: meta?.epoch, seq: meta?.seq };
  };
  const join = async (position: object) => {
    await using server = await startServer({ dataDir, logger });
    return await ask(await server.connect(tokenFor('anna')), 'join-room', 'chat:a', position);
  };

  const old = await publish(3);
  copy('old');
  const newer = await publish(5);
  expect(await join(newer)).toMatchObject({ recovered: true });
  expect(said.filter((name) => !name.startsWith('audit:'))).toEqual([]);
  putBack('old', 'ashlar.db');
  expect(await join(newer)).toMatchObject({ success: true, recovered: false, reason: 'epoch' });
  expect(said.filter((name) => !name.startsWith('audit:'))).toEqual(['storage:went-back']);
  await publish(10);
  expect(await join(newer)).toMatchObject({ recovered: false, reason: 'epoch' });
  expect(await join(old)).toMatchObject({ recovered: true });
  expect(said.filter((name) => !name.startsWith('audit:'))).toEqual(['storage:went-back']);
});
