import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSqliteStore } from '../../server/storage/sqlite/sqlite-store.ts';
import { createSystemClock } from '../../server/system-clock.ts';
import { parseRoomName } from '../../shared/room-name.ts';

const SCRIPT = fileURLToPath(new URL('append-until-killed.mjs', import.meta.url));
const clock = createSystemClock();
let dataDir: string;
let child: ChildProcess | undefined;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'ashlar-crash-'));
});
afterEach(async () => {
  child?.kill('SIGKILL');
  await rm(dataDir, { recursive: true });
});

/** Lets the child append until `count` appends were acknowledged, and kills it. @returns the last `seq` acknowledged of each room */
async function appendUntilKilled(count: number): Promise<Map<string, number>> {
  const started = spawn(process.execPath, [SCRIPT, dataDir], { stdio: ['ignore', 'pipe', 'pipe'] });
  child = started;
  let said = '';
  started.stderr.on('data', (text) => {
    said += text;
  });
  const exited = once(started, 'exit');
  const acked = new Map<string, number>();
  let lines = 0;
  for await (const line of createInterface(started.stdout)) {
    const [room = '', seq] = line.split(' ');
    acked.set(room, Number(seq));
    lines += 1;
    if (lines === count) started.kill('SIGKILL');
  }
  const [, signal] = await exited;
  expect(said).toBe('');
  expect(signal).toBe('SIGKILL');
  return acked;
}

test('[1] whatever was acknowledged is there after kill -9, in a log without a gap', { timeout: 60_000 }, async () => {
  let before = new Map<string, number>();
  for (const count of [1, 40, 173, 300, 97]) {
    const acked = await appendUntilKilled(count);
    const store = await openSqliteStore({ dataDir, clock });
    for (const [name, seq] of acked) {
      const room = parseRoomName(name);
      const lease = await store.open(room);
      expect(lease.head).toBeGreaterThanOrEqual(seq);
      expect(lease.head).toBeGreaterThan(before.get(name) ?? 0);
      const records = await store.read(room, { limit: 10_000 });
      expect(records.map((record) => record.seq)).toEqual(
        Array.from({ length: lease.head - lease.trimmedTo }, (_, index) => lease.trimmedTo + 1 + index),
      );
      for (const record of records) expect(Buffer.from(record.payload).toString()).toBe(`${name} ${record.seq}`);
      expect(await store.findSession(room, 's')).toMatchObject({ counter: lease.head });
    }
    await store.close();
    before = new Map([...before, ...acked]);
  }
  expect(before.size).toBe(3);
});

test('a data folder is free again after kill -9, and not before', async () => {
  const started = spawn(process.execPath, [SCRIPT, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  child = started;
  await once(started.stdout, 'data');
  const refused = openSqliteStore({ dataDir, clock });
  await expect(refused).rejects.toMatchObject({ code: 'storage-locked', detail: expect.stringContaining(dataDir) });
  const exited = once(started, 'exit');
  started.kill('SIGKILL');
  await exited;
  const store = await openSqliteStore({ dataDir, clock });
  await store.probe();
  await store.close();
});
