import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createClient } from '../../client/index.ts';
import type { RealtimeServer } from '../../server/server.ts';
import { openSqliteStore } from '../../server/storage/sqlite/sqlite-store.ts';
import type { NewRecord, Store } from '../../server/storage/store.ts';
import { createSystemClock } from '../../server/system-clock.ts';
import { parseRoomName } from '../../shared/room-name.ts';
import { runCli } from '../support/run-cli.ts';
import { ask, startServer, tokenFor } from '../support/start-server.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const APPEND = fileURLToPath(new URL('../crash/append-until-killed.mjs', import.meta.url));
const clock = createSystemClock();
const room = parseRoomName('chat:a');
let folder: string;
let dataDir: string;
let child: ChildProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ashlar-backup-'));
  dataDir = join(folder, 'data');
});
afterEach(() => {
  child?.kill('SIGKILL');
  child = undefined;
  rmSync(folder, { recursive: true });
});

const run = (...args: string[]) => runCli(args, { cwd: folder, env: { DATA_DIR: dataDir } });
const inFolder = (name: string) => join(folder, name);
const read = (...path: string[]) => readFileSync(join(...path));

async function withStore<T>(work: (store: Store) => Promise<T>, where = dataDir): Promise<T> {
  const store = await openSqliteStore({ dataDir: where, clock });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

function record(payload: string | Uint8Array, kind = 'k'): NewRecord {
  return { at: 1, userId: 'anna', kind, payload: Buffer.from(payload), version: 1, id: null, session: null, counter: 0 };
}

const append = (texts: readonly (string | Uint8Array)[], name = room) =>
  withStore(async (store) => {
    const { fence, head } = await store.open(name);
    await store.append({ appends: [{ room: name, fence, expectedHead: head, records: texts.map((text) => record(text)) }] });
  });

/** As a kill leaves it: the newest record is in the write-ahead log alone. The folder as it then is stays in `killed`. */
async function appendAndKill(text: string): Promise<void> {
  await withStore(async (store) => {
    const { fence, head } = await store.open(room);
    await store.append({ appends: [{ room, fence, expectedHead: head, records: [record(text)] }] });
    cpSync(dataDir, inFolder('killed'), { recursive: true });
  });
  rmSync(dataDir, { recursive: true });
  cpSync(inFolder('killed'), dataDir, { recursive: true });
}

const texts = (where = dataDir) =>
  withStore(
    async (store) => (await store.read(room, { limit: 100 })).map(({ payload }) => Buffer.from(payload).toString()),
    where,
  );

/** Flips one bit of a text in a file. */
function flip(file: string, text: string): void {
  const bytes = readFileSync(file);
  const place = bytes.indexOf(text);
  expect(place).toBeGreaterThan(0);
  bytes.writeUInt8(bytes.readUInt8(place) ^ 4, place);
  writeFileSync(file, bytes);
}

/** Names and contents of a folder's files. */
const contents = (where: string) =>
  readdirSync(where, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(where, name)).isFile())
    .sort()
    .map((name) => [name, readFileSync(join(where, name)).toString('base64')]);

describe('ashlar backup', () => {
  test('[1] beside a process that never stops writing: what was acknowledged before is in it, and it restores equal', {
    timeout: 60_000,
  }, async () => {
    const writing = spawn(process.execPath, [APPEND, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
    child = writing;
    const acked = new Map<string, number>();
    let lines = 0;
    let enough: (() => void) | undefined;
    createInterface(writing.stdout).on('line', (line) => {
      const [name = '', seq] = line.split(' ');
      acked.set(name, Number(seq));
      lines += 1;
      if (lines >= 300) enough?.();
    });
    await new Promise<void>((resolve) => {
      enough = resolve;
    });
    const before = new Map(acked);
    const linesBefore = lines;
    const { code, out, err } = await run('backup', 'b.db');
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^b\.db: 3 rooms, [\d,]+ records, read back and sound\n$/);
    expect(lines, 'it wrote meanwhile').toBeGreaterThan(linesBefore);
    const exited = once(writing, 'exit');
    writing.kill('SIGKILL');
    await exited;

    // Into a folder that is not there yet, as on a new machine.
    const restored = inFolder('elsewhere');
    expect(await runCli(['restore', inFolder('b.db'), '-d', restored])).toMatchObject({ code: 0, err: '' });
    await withStore(async (live) => {
      await withStore(async (copy) => {
        for (const [name, seq] of before) {
          const each = parseRoomName(name);
          const [here, there] = [await live.open(each), await copy.open(each)];
          expect(there.head).toBeGreaterThanOrEqual(seq);
          expect(there.head).toBeLessThanOrEqual(here.head);
          expect(there.trimmedTo).toBeLessThanOrEqual(here.trimmedTo);
          expect(await copy.read(each, { after: here.trimmedTo, limit: 10_000 })).toEqual(
            await live.read(each, { before: there.head + 1, limit: 10_000 }),
          );
          expect(await copy.findSession(each, 's')).toMatchObject({ counter: there.head });
        }
      }, restored);
    });
    expect(before.size).toBe(3);
  });

  test('is one file, for its owner alone, that holds what lies in the write-ahead log', async () => {
    await withStore(async (store) => {
      const { fence } = await store.open(room);
      await store.append({ appends: [{ room, fence, expectedHead: 0, records: [record('a')] }] });
      expect((await run('backup', 'b.db')).out).toContain('1 room, 1 record,');
    });
    expect(readdirSync(folder).sort()).toEqual(['b.db', 'data']);
    expect(statSync(inFolder('b.db')).mode & 0o777).toBe(0o600);
    const checked = await run('check', 'b.db');
    expect(checked).toMatchObject({ code: 0, out: expect.stringContaining('chat:a: 1 record, 1 to 1, 1 kB\n') });
    expect(readdirSync(folder).sort(), 'a check leaves nothing behind').toEqual(['b.db', 'data']);
  });

  test('overwrites nothing unless told to, and never what the server writes', async () => {
    await append(['a']);
    writeFileSync(inFolder('b.db'), 'precious');
    expect(await run('backup', 'b.db')).toEqual({
      code: 1,
      out: '',
      err: 'ashlar: b.db is there already: --force overwrites it\n',
    });
    expect(read(folder, 'b.db').toString()).toBe('precious');
    expect(await run('backup', 'b.db', '--force')).toMatchObject({ code: 0, err: '' });
    symlinkSync(dataDir, inFolder('another-name'));
    const before = contents(dataDir);
    for (const own of ['data/ashlar.db', 'data/ashlar.witness', 'another-name/ashlar.db']) {
      const { code, err } = await run('backup', own, '--force');
      expect([code, err]).toEqual([1, `ashlar: ${own} is one of the data folder's own files: choose another name\n`]);
    }
    expect(contents(dataDir)).toEqual(before);
    expect(await run('backup', 'data/monday.db')).toMatchObject({ code: 0 });
  });

  test('says in one sentence what is in its way, and leaves nothing', async () => {
    const none = await run('backup', 'b.db');
    expect([none.code, none.err]).toEqual([1, `ashlar: there is no database at ${join(dataDir, 'ashlar.db')}\n`]);
    expect(existsSync(dataDir)).toBe(false);
    await append(['a']);
    const nowhere = await run('backup', 'no/such/b.db');
    expect([nowhere.code, nowhere.err]).toEqual([
      1,
      expect.stringMatching(/^ashlar: cannot write no\/such\/b\.db.*: ENOENT.*\n$/),
    ]);
    writeFileSync(join(dataDir, 'ashlar.db'), 'Once upon a time '.repeat(500));
    const spoilt = await run('backup', 'b.db');
    expect([spoilt.code, spoilt.err]).toEqual([1, expect.stringContaining('The stored data is damaged')]);
    expect(spoilt.err).not.toContain('    at ');
    expect(readdirSync(folder)).toEqual(['data']);
  });

  test('of damaged data is none: an earlier one stays, and what can be read is kept beside it', async () => {
    await append(['first', 'THE NEEDLE', 'last']);
    await run('backup', 'b.db');
    const earlier = read(folder, 'b.db');
    flip(join(dataDir, 'ashlar.db'), 'THE NEEDLE');
    const { code, out, err } = await run('backup', 'b.db', '--force');
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('DAMAGED chat:a: record 2 does not fit its checksum\n');
    expect(err).toContain('No backup was made');
    expect(read(folder, 'b.db').equals(earlier)).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(['b.db', 'b.db.damaged', 'data']);
  });
});

describe('ashlar restore', () => {
  test('is refused while a server uses the folder, and touches nothing then', async () => {
    await append(['a']);
    await run('backup', 'b.db');
    await withStore(async () => {
      const { code, err } = await run('restore', 'b.db');
      expect([code, err]).toEqual([1, expect.stringContaining('is in use; stop the other server')]);
    });
    expect(await texts()).toEqual(['a']);
  });

  test('keeps what was there, its write-ahead log too, and that can be restored again', async () => {
    await append(['old']);
    await run('backup', 'b.db');
    await appendAndKill('new');
    expect(statSync(join(dataDir, 'ashlar.db-wal')).size).toBeGreaterThan(0);

    const { code, out } = await run('restore', 'b.db');
    expect(code).toBe(0);
    const kept = /kept in (\S+)/.exec(out)?.[1] ?? '';
    expect(await texts()).toEqual(['old']);
    for (const name of ['ashlar.db', 'ashlar.db-wal']) expect(read(kept, name).equals(read(folder, 'killed', name))).toBe(true);
    expect(await run('restore', join(kept, 'ashlar.db'))).toMatchObject({ code: 0 });
    expect(await texts()).toEqual(['old', 'new']);
  });

  test.each([
    ['killed', true],
    ['stopped by a failure', false],
  ])('[1] that is %s before the backup is in place loses nothing of what was there', async (_, killed) => {
    await append(['old']);
    await run('backup', 'b.db');
    await append(['newer']);
    await appendAndKill('newest');

    // As the last step begins, everything else is done.
    const nodeOptions = `--import ${new URL(`../support/end-at-rename.js?killed=${killed}`, import.meta.url).href}`;
    const ended = await runCli(['restore', 'b.db'], { cwd: folder, env: { DATA_DIR: dataDir, NODE_OPTIONS: nodeOptions } });
    expect(ended.code).not.toBe(0);
    expect(ended.out).toBe('');
    expect(await texts()).toEqual(['old', 'newer', 'newest']);
    expect(readdirSync(dataDir).filter((name) => /^replaced-|restoring/.test(name))).toEqual([]);
    expect(await run('restore', 'b.db')).toMatchObject({ code: 0 });
    expect(await texts()).toEqual(['old']);
  });

  test('of a damaged backup changes nothing, unless that is wanted', async () => {
    await append(['first', 'THE NEEDLE', 'last']);
    await run('backup', 'b.db');
    await append(['newer']);
    const before = contents(dataDir);
    flip(inFolder('b.db'), 'THE NEEDLE');
    const { code, out, err } = await run('restore', 'b.db');
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('DAMAGED chat:a: record 2 does not fit its checksum');
    expect(err).toContain('was not restored');
    writeFileSync(inFolder('half.db'), read(folder, 'b.db').subarray(0, 20_000));
    writeFileSync(inFolder('none.db'), '');
    for (const bad of ['half.db', 'none.db', 'not-there.db']) {
      const refused = await run('restore', bad);
      expect([bad, refused.code, refused.out]).toEqual([bad, 1, '']);
      expect(refused.err).not.toContain('    at ');
    }
    expect(contents(dataDir)).toEqual(before);

    expect(await run('restore', 'b.db', '--force')).toMatchObject({ code: 0 });
    await withStore(async (store) => {
      expect(await store.read(room, { limit: 1 })).toHaveLength(1);
      await expect(store.read(room, { limit: 9 })).rejects.toMatchObject({ code: 'storage-damaged', room });
    });
  });

  test('[2] in a folder that never held it is seen as a log that went back, too', async () => {
    await append(['old']);
    await run('backup', 'b.db');
    expect(await run('restore', 'b.db', '-d', 'elsewhere')).toMatchObject({ code: 0 });
    await withStore(async ({ wentBack }) => {
      expect(wentBack).toEqual({ commits: expect.any(Number), witnessed: expect.any(Number) });
      expect(wentBack?.commits).toBeLessThan(wentBack?.witnessed ?? 0);
    }, inFolder('elsewhere'));
    expect(await texts(inFolder('elsewhere'))).toEqual(['old']);
  });

  test('[2] is seen as a log that went back: newer positions get `epoch`, and a client brings back what it still holds of a document', async () => {
    const said: string[] = [];
    const logger = pino(
      { level: 'error' },
      { write: (line: string) => void said.push((JSON.parse(line) as { msg: string }).msg) },
    );
    const publish = async ({ realtime }: { realtime: RealtimeServer }, id: string) => {
      const timestamp = new Date().toISOString();
      return realtime.toRoom('chat:a', 'chat:message', { id, sessionId: 'a', content: id, sender: 'assistant', timestamp });
    };
    const first = await startServer({ dataDir, logger });
    await using proxy = await startTcpProxy(first.url);
    const client = createClient({ url: proxy.url, token: tokenFor('anna'), transports: ['websocket'] });
    void client.connect();
    const handle = client.document('handbook');
    await handle.whenSynced;
    const text = handle.doc.getText('body');
    text.insert(0, 'stone');
    await handle.whenSaved();
    await publish(first, 'old');
    expect(await run('backup', 'b.db')).toMatchObject({ code: 0 });
    text.insert(5, ' and mortar');
    await handle.whenSaved();
    const { epoch, seq } = await publish(first, 'new');
    proxy.cut();
    await first.stop();

    expect(await run('restore', 'b.db')).toMatchObject({ code: 0, out: expect.stringContaining('storage:went-back') });
    await using second = await startServer({ dataDir, logger });
    expect(said.filter((name) => !name.startsWith('audit:'))).toEqual(['storage:went-back']);
    expect((await second.realtime.documents.read('handbook')).getText('body').toString()).toBe('stone');
    const socket = await second.connect(tokenFor('bob'));
    expect(await ask(socket, 'join-room', 'chat:a', { epoch, seq })).toMatchObject({ recovered: false, reason: 'epoch' });

    proxy.target(second.url);
    proxy.mend();
    const joiner = createClient({ url: second.url, token: tokenFor('bob'), transports: ['websocket'] });
    void joiner.connect();
    const again = joiner.document('handbook');
    await again.whenSynced;
    const seen = again.doc.getText('body');
    while (seen.toString() !== 'stone and mortar') await new Promise((resolve) => again.doc.once('update', resolve));
    for (const each of [client, joiner]) each.disconnect();
  });
});

describe('ashlar check', () => {
  /** These ten bytes decode and merge, and then every apply of the document throws. */
  const BRICK = Buffer.from('01010900840905017800', 'hex');

  test('counts what each room holds, and loads every document', async () => {
    const server = await startServer({ dataDir });
    await server.realtime.documents.transact('handbook', (doc) => doc.getText('body').insert(0, 'stone'));
    await server.realtime.documents.transact('gone', (doc) => doc.getText('body').insert(0, 'x'));
    await server.realtime.documents.delete('gone');
    await server.stop();
    await append(['a', 'b']);
    const before = contents(dataDir).filter(([name]) => !/-(wal|shm)$/.test(name ?? ''));
    const { code, out, err } = await run('check');
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('chat:a: 2 records, 1 to 2, 1 kB\n');
    expect(out).toContain('doc:handbook: 1 record, 1 to 1, 1 kB\n');
    expect(out).toContain('doc:gone: 0 records, deleted\n');
    expect(out).toContain('3 rooms, 3 records, 1 document loaded: sound\n');
    expect(contents(dataDir).filter(([name]) => !/-(wal|shm)$/.test(name ?? ''))).toEqual(before);
  });

  test('names the records of a document that does not load, and who wrote them', async () => {
    const bad = parseRoomName('doc:bad');
    await append([BRICK], bad);
    const { code, out } = await run('check');
    expect(code).toBe(1);
    expect(out).toContain('DAMAGED doc:bad: it does not load without leaving out 1 of its records: 1 by anna\n');
    expect(out).toContain('1 room, 1 record, 0 documents loaded: DAMAGED');
  });

  test('names a flipped bit, and goes on to the other rooms', async () => {
    await append(['THE NEEDLE'], parseRoomName('chat:b'));
    await append(['fine']);
    flip(join(dataDir, 'ashlar.db'), 'THE NEEDLE');
    const { code, out } = await run('check');
    expect(code).toBe(1);
    expect(out).toContain('DAMAGED chat:b: record 1 does not fit its checksum\n');
    expect(out).toContain('chat:a: 1 record');
  });

  test('is for a stopped folder or a file, and says so', async () => {
    const none = await run('check');
    expect([none.code, none.err]).toEqual([1, `ashlar: there is no database at ${join(dataDir, 'ashlar.db')}\n`]);
    expect(existsSync(dataDir)).toBe(false);
    await withStore(async () => {
      const { code, err } = await run('check');
      expect([code, err]).toEqual([1, expect.stringContaining('is in use')]);
    });
    mkdirSync(inFolder('a-folder'));
    expect(await run('check', 'a-folder')).toMatchObject({ code: 1, err: 'ashlar: there is no database at a-folder\n' });
  });
});
