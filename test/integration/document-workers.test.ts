import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import type { Clock } from '../../server/clock.ts';
import { createDocumentWorkers, type DocumentWorkers } from '../../server/documents/worker/document-workers.ts';
import { loadDoc } from '../../server/documents/worker/load-doc.ts';
import type { VouchJob } from '../../server/documents/worker/warm-slot.ts';
import { createSystemClock } from '../../server/system-clock.ts';
import { BRICK, conflictBomb, conflictPortions, memoryBomb } from '../support/hostile-updates.ts';
import { createManualClock } from '../support/manual-clock.ts';

/** Real time, which is what the limits are about; counts what is armed. */
function createCountingClock(): Clock & { readonly armed: number } {
  const armed = new Set<symbol>();
  const clock = createSystemClock();
  return {
    ...clock,
    after(ms, task) {
      const timer = Symbol();
      armed.add(timer);
      const cancel = clock.after(ms, () => {
        armed.delete(timer);
        task();
      });
      return () => {
        armed.delete(timer);
        cancel();
      };
    },
    get armed() {
      return armed.size;
    },
  };
}

let workers: DocumentWorkers | undefined;
afterEach(async () => {
  await workers?.close();
  workers = undefined;
});

const start = (options: Partial<Parameters<typeof createDocumentWorkers>[0]> = {}): DocumentWorkers => {
  workers = createDocumentWorkers({ clock: createSystemClock(), ...options });
  return workers;
};

/** `count` updates of one writer, each a letter at the end. */
function typing(count: number, clientId = 1): Uint8Array[] {
  const doc = new Y.Doc();
  doc.clientID = clientId;
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  const text = doc.getText('text');
  for (let index = 0; index < count; index += 1) text.insert(text.length, String.fromCharCode(97 + (index % 26)));
  return updates;
}

/** A state of about `bytes` bytes that was written all over the place, so that it has many structs. */
function largeState(bytes: number): Uint8Array {
  const doc = new Y.Doc();
  doc.clientID = 1;
  const text = doc.getText('text');
  doc.transact(() => {
    for (let index = 0; index < bytes / 30; index += 1) text.insert((index * 7) % (text.length + 1), 'twenty letters, about');
  });
  return Y.encodeStateAsUpdate(doc);
}

/** Runs a script in a process of its own, which must end by itself; `pool` are workers. @returns what it printed */
async function runBuilt(script: string): Promise<string> {
  const built = (path: string) => JSON.stringify(new URL(`../../dist/server/${path}`, import.meta.url).href);
  const preamble = `
    import { createSystemClock } from ${built('system-clock.js')};
    import { createDocumentWorkers } from ${built('documents/worker/document-workers.js')};
    const pool = createDocumentWorkers({ clock: createSystemClock() });`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', preamble + script], {
    timeout: 15_000,
  });
  return stdout;
}

const textOf = (state: Uint8Array): string => loadDoc(state, []).getText('text').toString();

const damaged = (detail: RegExp) => expect.objectContaining({ code: 'document-damaged', detail: expect.stringMatching(detail) });

describe('document workers', () => {
  test('compact a log, compact on from there, and tell a client what it lacks', async () => {
    const pool = start();
    const updates = typing(30);
    const first = await pool.compact({ state: null, updates: updates.slice(0, 10) });
    const second = await pool.compact({ state: first.state, updates: updates.slice(10) });
    expect(textOf(second.state)).toBe('abcdefghijklmnopqrstuvwxyzabcd');
    expect(second.stateVector).toEqual(Uint8Array.of(1, 1, 30));

    const client = loadDoc(first.state, []);
    Y.applyUpdate(client, await pool.diff({ state: second.state, stateVector: first.stateVector }));
    expect(Y.encodeStateAsUpdate(client)).toEqual(second.state);
    const all = await pool.diff({ state: first.state, updates: updates.slice(10), stateVector: Uint8Array.of(0) });
    expect(textOf(all)).toBe(textOf(second.state));
  });

  test('[2] find nothing new in the full step of a client in sync, and of another only what is new', async () => {
    const pool = start();
    const updates = typing(8);
    const client = loadDoc(null, updates);
    const inSync = Y.encodeStateAsUpdate(client, Y.encodeStateVector(client));
    expect(await pool.novelDeletes({ state: null, updates, update: inSync })).toBeNull();
    client.getText('text').delete(2, 1);
    const ahead = Y.encodeStateAsUpdate(client, Y.encodeStateVector(client));
    const novel = await pool.novelDeletes({ state: null, updates, update: ahead });
    expect([...Y.decodeUpdate(novel!).ds.clients.values()]).toEqual([[{ clock: 2, len: 1 }]]);
  });

  test('leave the bytes of the caller alone: pooled, shared or parts of a larger buffer', async () => {
    const pool = start();
    const [update] = typing(1);
    const pooled = Buffer.from(update!);
    const larger = new Uint8Array(1_000_000).fill(7);
    larger.set(update!, 500);
    const before = pooled.buffer.byteLength;
    const { state } = await pool.compact({ state: pooled, updates: [] });
    await pool.diff({ state: larger.subarray(500, 500 + update!.length), stateVector: Uint8Array.of(0) });
    expect(pooled.buffer.byteLength).toBe(before);
    expect(Uint8Array.from(pooled)).toEqual(update);
    expect(larger.byteLength).toBe(1_000_000);
    expect(state.buffer.byteLength).toBe(state.byteLength);
  });

  test('[5] refuse a log with a brick, and find exactly that to set aside', async () => {
    const pool = start();
    const updates = [...typing(20), BRICK, ...typing(20, 2)];
    await expect(pool.compact({ state: null, updates })).rejects.toEqual(damaged(/^update 20 of 41 does not apply/));
    expect(await pool.quarantine({ state: null, updates })).toEqual({ bad: [20] });
    expect(await pool.quarantine({ state: null, updates: updates.toSpliced(20, 1) })).toEqual({ bad: [] });
    await expect(pool.quarantine({ state: BRICK, updates })).rejects.toEqual(damaged(/^the snapshot fails by itself/));
  });

  test('set aside what builds on a brick or deletes it, and nothing else', async () => {
    const pool = start();
    const honest = typing(6);
    const doc = loadDoc(null, honest);
    doc.clientID = 5;
    const updates: Uint8Array[] = [];
    doc.on('update', (update: Uint8Array) => updates.push(update));
    doc.getText('text').insert(0, 'forged'); // 0: same clocks again below
    doc.getText('text').insert(6, 'on it'); // 1: builds on 0
    doc.getText('text').delete(8, 1); // 2: deletes of 1
    doc.getMap('map').set('key', 'same client, later'); // 3: its clocks follow those of 1
    const gap = updates.splice(0, 1); // the first is lost: 1 to 3 wait for ever
    expect(gap).toHaveLength(1);
    const later = typing(4, 9);
    expect(await pool.quarantine({ state: null, updates: [...honest, ...updates, ...later] })).toEqual({ bad: [6, 7, 8] });
  });

  test('[5] stop a conflict bomb at the time limit, and do the jobs behind it', async () => {
    const clock = createCountingClock();
    const pool = start({ clock });
    const { text, bomb } = conflictBomb(8_000);
    const hung = pool.compact({ state: text, updates: [bomb] }, { timeoutMs: 1_500 });
    const behind = Promise.all([
      pool.compact({ state: null, updates: typing(3) }),
      pool.diff({ state: text, stateVector: Uint8Array.of(0) }),
    ]);
    await expect(hung).rejects.toEqual(damaged(/^compact reached its time limit of 1500 ms$/));
    const [compacted] = await behind;
    expect(textOf(compacted.state)).toBe('abc');
    expect(await pool.quarantine({ state: text, updates: [...typing(2, 7), bomb] }, { timeoutMs: 1_500 })).toEqual({ bad: [2] });
    expect(clock.armed).toBe(0);
  });

  test('take an answer that was there in time, though the event loop was too busy to see it', async () => {
    const pool = start();
    await pool.compact({ state: null, updates: typing(1) }); // the thread has started
    const answer = pool.compact({ state: null, updates: typing(3) }, { timeoutMs: 200 });
    await new Promise((resolve) => setImmediate(resolve)); // the job is on its way
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 800);
    expect(textOf((await answer).state)).toBe('abc');
  });

  test('[5] stop what needs too much memory, and go on', async () => {
    const pool = start({ heapMb: 48 });
    await expect(pool.compact({ state: null, updates: [memoryBomb(2_000_000)] })).rejects.toEqual(
      damaged(/^the memory limit was reached$/),
    );
    expect(textOf((await pool.compact({ state: null, updates: typing(3) })).state)).toBe('abc');
  });

  test('[5] answer a hostile state vector with an error of its sender', async () => {
    const pool = start();
    const stateVector = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f);
    await expect(pool.diff({ state: typing(1)[0]!, stateVector })).rejects.toEqual(
      expect.objectContaining({ code: 'malformed-frame' }),
    );
    await expect(pool.diff({ state: Uint8Array.of(1, 2), stateVector: Uint8Array.of(1, 1, 1) })).rejects.toEqual(
      damaged(/^diff threw/),
    );
  });

  test('[6] keep the event loop free while a large state is compacted', async () => {
    const pool = start();
    await pool.compact({ state: null, updates: typing(1) }); // the thread has started
    const state = largeState(2_000_000);
    expect(state.length).toBeGreaterThan(2_000_000);
    let longest = 0;
    let turns = 0;
    let last = performance.now();
    const ticker = setInterval(() => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
      turns += 1;
    }, 1);
    const began = performance.now();
    const { state: compacted } = await pool.compact({ state, updates: typing(500, 2) });
    const took = performance.now() - began;
    clearInterval(ticker);
    expect(textOf(compacted).length).toBeGreaterThan(1_000_000);
    expect(turns).toBeGreaterThan(20);
    expect(longest).toBeLessThan(took / 2);
  });

  test('[6] load no Yjs into the thread that asks', async () => {
    const answer = await runBuilt(`
      const { state } = await pool.compact({ state: null, updates: [${JSON.stringify([...typing(1)[0]!])}].map((bytes) => Uint8Array.from(bytes)) });
      process.stdout.write(state.length + ' ' + globalThis['__ $YJS$ __']);
      await pool.close();`);
    expect(answer).toMatch(/^\d+ undefined$/);
  });

  test('hold no process open while they wait for jobs', async () => {
    expect(await runBuilt(`await pool.compact({ state: null, updates: [] }); process.stdout.write('done');`)).toBe('done');
  });

  test('close ends a thread in the middle of a job, so that the process can end', async () => {
    const { text, bomb } = conflictBomb(8_000);
    const answer = await runBuilt(`
      const bytes = (base64) => Uint8Array.from(Buffer.from(base64, 'base64'));
      const log = { state: bytes(${JSON.stringify(Buffer.from(text).toString('base64'))}), updates: [bytes(${JSON.stringify(Buffer.from(bomb).toString('base64'))})] };
      const hung = pool.compact(log, { timeoutMs: 60_000 }).catch((error) => process.stdout.write(error.code));
      await new Promise((resolve) => setImmediate(resolve));
      await pool.close();
      await hung;`);
    expect(answer).toBe('server-closing');
  });

  test('joins go before compactions that wait, but not for ever', async () => {
    const pool = start();
    const [state] = typing(1);
    const order: string[] = [];
    const done = (name: string) => () => void order.push(name);
    const running = pool.compact({ state: null, updates: [] }).then(done('running'));
    const waiting = pool.compact({ state: null, updates: [] }).then(done('compact'));
    const joins = Array.from({ length: 10 }, (_, index) =>
      pool.diff({ state: state!, stateVector: Uint8Array.of(0) }).then(done(`join ${index}`)),
    );
    await Promise.all([running, waiting, ...joins]);
    expect(order.indexOf('running')).toBe(0);
    expect(order.indexOf('compact')).toBe(9);
  });

  describe('vouching', () => {
    const LOG = {};
    const job = (parts: Partial<VouchJob>): VouchJob => ({
      room: 'doc:plan',
      log: LOG,
      snapshot: { seq: 0, bytes: 0 },
      after: 0,
      updates: [],
      trial: null,
      ...parts,
    });
    const whole = (updates: readonly Uint8Array[]) => job({ whole: { state: null }, updates });

    test('goes on in the thread that holds the document, whatever joins and compactions come between', async () => {
      const pool = start({ threads: 2 });
      const updates = typing(40);
      expect(pool.vouchedUpTo('doc:plan', LOG)).toBeNull();
      const first = await pool.vouch(whole(updates.slice(0, 10)));
      const joins = Array.from({ length: 4 }, () => pool.diff({ state: updates[0]!, stateVector: Uint8Array.of(0) }));
      const compacted = pool.compact({ room: 'doc:other', state: null, updates });
      const second = await pool.vouch(job({ after: 10, updates: updates.slice(10, 30) }));
      await Promise.all([...joins, compacted]);
      expect(pool.vouchedUpTo('doc:plan', LOG)).toBe(30);
      expect(second!.ms, 'all that was ever applied counts').toBeGreaterThan(first!.ms);
      expect(second!.limitMs).toBeGreaterThan(625);
      // Only on top of all that came before does it apply: the thread has it.
      expect(await pool.vouch(job({ after: 30, updates: updates.slice(30) }))).not.toBeNull();
    });

    test('[10] a document of which something does not apply is kept no longer', async () => {
      const pool = start();
      const updates = typing(10);
      await pool.vouch(whole(updates.slice(0, 5)));
      await expect(pool.vouch(job({ after: 5, updates: updates.slice(6) }))).rejects.toEqual(damaged(/^pending structs/));
      expect(pool.vouchedUpTo('doc:plan', LOG)).toBeNull();
      expect(await pool.vouch(job({ after: 5, updates: updates.slice(5) }))).toBeNull();
      await pool.vouch(whole(updates));
      await expect(pool.vouch(job({ after: 10, trial: BRICK }))).rejects.toEqual(damaged(/^update 0 of 1 does not apply/));
      expect(await pool.vouch(job({ after: 10, updates: typing(2, 2) }))).toBeNull();
    });

    test('[10] what was on trial and did not come into the log is kept no longer', async () => {
      const pool = start();
      const updates = typing(10);
      await pool.vouch({ ...whole(updates), trial: typing(1, 2)[0]! });
      expect(await pool.vouch(job({ after: 10, updates: typing(1, 3) }))).toBeNull();
      // Had the trial stayed, this one would build on it.
      await pool.vouch(whole(updates));
      await expect(pool.vouch(job({ after: 10, updates: typing(2, 2).slice(1) }))).rejects.toEqual(damaged(/^pending structs/));
    });

    test('a thread keeps one document, and none once it has ended', async () => {
      const pool = start();
      await pool.vouch(whole(typing(10)));
      await pool.vouch({ ...whole(typing(5)), room: 'doc:other' });
      expect(pool.vouchedUpTo('doc:plan', LOG)).toBeNull();
      const { text, bomb } = conflictBomb(8_000);
      await expect(pool.compact({ state: text, updates: [bomb] }, { timeoutMs: 500 })).rejects.toEqual(damaged(/time limit/));
      expect(await pool.vouch(job({ room: 'doc:other', after: 5, updates: [] }))).toBeNull();
    });

    test('nobody asks for a while, and nothing is kept any more', async () => {
      const clock = createManualClock();
      const pool = start({ clock });
      await pool.vouch(whole(typing(10)));
      await clock.advanceAsync(29_999);
      expect(pool.vouchedUpTo('doc:plan', LOG)).toBe(10);
      await clock.advanceAsync(1);
      expect(pool.vouchedUpTo('doc:plan', LOG)).toBeNull();
      expect(await pool.vouch(job({ after: 10, updates: typing(1, 2) }))).toBeNull();
    });

    test('[5] a conflict bomb in many small portions takes as long as at once, and is not vouched for', {
      timeout: 60_000,
    }, async () => {
      const pool = start();
      const { text, portions } = conflictPortions(6_000, 100);
      let said = await pool.vouch(whole([text]));
      let vouched = 0;
      try {
        for (const portion of portions) {
          said = await pool.vouch(job({ after: 1 + vouched, updates: [portion] }));
          if (said!.ms > said!.limitMs) break;
          vouched += 1;
        }
      } catch (error) {
        expect(error).toEqual(damaged(/^vouch reached its time limit/));
      }
      expect(vouched).toBeGreaterThan(2);
      expect(vouched).toBeLessThan(portions.length);
      expect(pool.vouchedUpTo('doc:plan', LOG)).toBeNull();
    });
  });

  test('with two threads a join does not wait for a compaction', async () => {
    const clock = createManualClock();
    const pool = start({ clock, threads: 2 });
    const { text, bomb } = conflictBomb(8_000);
    const hung = Promise.allSettled([
      pool.compact({ state: text, updates: [bomb] }),
      pool.compact({ state: text, updates: [bomb] }),
    ]);
    expect(textOf(await pool.diff({ state: text, stateVector: Uint8Array.of(0) }))).toHaveLength(8_000);
    await pool.close();
    expect((await hung).map((result) => result.status)).toEqual(['rejected', 'rejected']);
  });

  test('close tells what runs, what waits and what comes later', async () => {
    const pool = start({ clock: createManualClock() });
    const { text, bomb } = conflictBomb(8_000);
    const jobs = Promise.allSettled([
      pool.compact({ state: text, updates: [bomb] }),
      pool.diff({ state: text, stateVector: Uint8Array.of(0) }),
      pool.quarantine({ state: text, updates: [bomb] }),
    ]);
    await pool.close();
    const closing = expect.objectContaining({ code: 'server-closing' });
    expect((await jobs).map((result) => result.status === 'rejected' && result.reason)).toEqual([closing, closing, closing]);
    await expect(pool.compact({ state: null, updates: [] })).rejects.toEqual(closing);
    await pool.close();
  });
});
