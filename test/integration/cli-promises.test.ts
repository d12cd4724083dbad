import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSqliteStore } from '../../server/storage/sqlite/sqlite-store.ts';
import { createSystemClock } from '../../server/system-clock.ts';
import { parseRoomName } from '../../shared/room-name.ts';
import { runCli } from '../support/run-cli.ts';

// What scripts and operators build on: the exit code of each command, and who may read what it leaves.

const CLI = fileURLToPath(new URL('../../dist/server/cli/ashlar.js', import.meta.url));
const TEXT = 'a text that nobody else should read';
const clock = createSystemClock();
let folder: string;
let dataDir: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ashlar-cli-promises-'));
  dataDir = join(folder, 'data');
});
afterEach(() => rmSync(folder, { recursive: true }));

const run = (...args: string[]) => runCli(args, { cwd: folder, env: { DATA_DIR: dataDir } });
const codes = async (...calls: string[][]) => {
  const found: unknown[] = [];
  for (const args of calls) found.push([args.join(' '), (await run(...args)).code]);
  return found;
};
const all = (code: number, ...calls: string[][]) => calls.map((args) => [args.join(' '), code]);

async function store() {
  const opened = await openSqliteStore({ dataDir, clock });
  const room = parseRoomName('chat:a');
  const { fence, head } = await opened.open(room);
  const record = {
    at: 1,
    userId: 'anna',
    kind: 'k',
    version: 1,
    id: null,
    session: null,
    counter: 0,
    payload: Buffer.from(TEXT),
  };
  await opened.append({ appends: [{ room, fence, expectedHead: head, records: [record] }] });
  return opened;
}

describe('the exit code', { timeout: 60_000 }, () => {
  test('is 0 where a command did what it was asked', async () => {
    await (await store()).close();
    const calls = [
      ['--help'],
      ['--version'],
      ['backup', '--help'],
      ['token', '--id', 'anna'],
      ['check'],
      ['backup', 'b.db'],
      ['backup', 'b.db', '--force'],
      ['check', 'b.db'],
      ['restore', 'b.db'],
      ['erase', 'anna'],
      ['erase', 'nobody'],
    ];
    expect(await codes(...calls)).toEqual(all(0, ...calls));
  });

  test('is 1 where the data or the backup is damaged; what is restored by force is 0', async () => {
    await (await store()).close();
    const file = join(dataDir, 'ashlar.db');
    const bytes = readFileSync(file);
    bytes.writeUInt8(bytes.readUInt8(bytes.indexOf(TEXT)) ^ 4, bytes.indexOf(TEXT));
    writeFileSync(file, bytes);
    copyFileSync(file, join(folder, 'damaged.db'));
    const calls = [['check'], ['check', 'damaged.db'], ['backup', 'b.db'], ['restore', 'damaged.db']];
    expect(await codes(...calls)).toEqual(all(1, ...calls));
    expect(await codes(['restore', 'damaged.db', '--force'])).toEqual(all(0, ['restore', 'damaged.db', '--force']));
  });

  test('is 1 where a server has the folder, but for a backup, which is made beside it', async () => {
    const opened = await store();
    try {
      expect(await codes(['backup', 'b.db'])).toEqual(all(0, ['backup', 'b.db']));
      const calls = [['check'], ['restore', 'b.db'], ['erase', 'anna'], ['serve', '--port', '0']];
      expect(await codes(...calls)).toEqual(all(1, ...calls));
    } finally {
      await opened.close();
    }
  });

  test('is 1 for a wrong argument, and for data that is not there', async () => {
    const calls = [
      [],
      ['no-such-command'],
      ['token'],
      ['token', '--id', 'anna', '--access', 'nonsense'],
      ['token', '--id', 'anna', '--expires', 'soon'],
      ['serve', '--port', 'x'],
      ['backup'],
      ['backup', 'b.db'],
      ['restore', 'no-such.db'],
      ['check'],
      ['check', 'no-such.db'],
      ['erase'],
      ['erase', ''],
      ['erase', 'anna'],
      ['replay', 'no-such.json'],
      ['verify', '--kills', 'many'],
      ['verify', '--only', 'no-such-check'],
    ];
    expect(await codes(...calls)).toEqual(all(1, ...calls));
  });
});

describe('nobody but their owner may read', { timeout: 60_000 }, () => {
  /** Starts `ashlar` under a umask that takes nothing away. */
  const startOpen = (...args: string[]) => {
    const env = { ...process.env, DATA_DIR: dataDir, NODE_ENV: 'development' };
    return spawn('sh', ['-c', 'umask 000; exec "$0" "$@"', process.execPath, CLI, ...args], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  };
  const runOpen = async (...args: string[]) => expect(await once(startOpen(...args), 'exit')).toEqual([0, null]);
  /** What others may read or write of what is beside or below a folder, and not the folder itself. */
  const openTo = (where: string) =>
    readdirSync(where, { recursive: true, encoding: 'utf8' }).filter((name) => (statSync(join(where, name)).mode & 0o077) !== 0);

  test('a data folder that Ashlar makes', async () => {
    await runOpen('token', '--id', 'anna');
    expect(openTo(folder)).toEqual([]);
  });

  test('the files in a folder that was there, open to all: database, its log, lock, witness, secret, and what was replaced', async () => {
    mkdirSync(dataDir);
    chmodSync(dataDir, 0o777);
    const server = startOpen('serve', '--port', '0');
    const exited = once(server, 'exit');
    try {
      let said = '';
      for await (const text of server.stdout) {
        said += text;
        if (said.includes('Stop with Ctrl-C')) break;
      }
      const made = ['ashlar.db', 'ashlar.db-wal', 'ashlar.lock', 'ashlar.witness', 'secret'];
      expect(readdirSync(dataDir)).toEqual(expect.arrayContaining(made));
      expect(openTo(dataDir)).toEqual([]);
      await runOpen('backup', 'b.db');
    } finally {
      server.kill('SIGTERM');
      await exited;
    }
    await runOpen('restore', 'b.db');
    await runOpen('erase', 'anna');
    expect(readdirSync(dataDir).some((name) => name.startsWith('replaced-'))).toBe(true);
    expect(openTo(folder)).toEqual(['data']);
  });
});
