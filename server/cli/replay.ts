import { basename } from 'node:path';
import { AshlarError } from '../../shared/errors.ts';
import { processEnv, readConfig } from '../config.ts';
import { createSystemClock } from '../system-clock.ts';
import { developmentSecret } from './development-secret.ts';
import { type Joined, joinDocument, requireEmpty } from './replay/join-document.ts';
import { describeLatency } from './replay/latency.ts';
import { drawClientIds, planLanes } from './replay/plan-lanes.ts';
import { play } from './replay/play.ts';
import { count, createProgress } from './replay/progress.ts';
import { readTrace } from './replay/read-trace.ts';
import { settle } from './replay/settle.ts';
import { writeUpdates } from './replay/write-updates.ts';
import { signFor } from './token.ts';

export interface ReplayFlags {
  url?: string;
  token?: string;
  document?: string;
  readers: number;
  rate?: number;
  timeout: number;
  dataDir?: string;
}

const TOKEN_SECONDS = 86_400;
const LATER_JOINER = 'a later joiner';

/**
 * Plays a trace against a running server and prints what came of it.
 * @returns whether every client, and one that joined afterwards, ended with the trace's text
 * @throws AshlarError the trace is none, the server refuses, or nothing moved for `--timeout` seconds
 */
export async function replay(file: string, flags: ReplayFlags): Promise<boolean> {
  const clock = createSystemClock();
  const now = () => clock.monotonic();
  const trace = readTrace(file);
  const plan = planLanes(trace);
  const { settings, port } = readConfig(processEnv(), { dataDir: flags.dataDir }, { developmentSecret });
  const url = flags.url ?? `http://127.0.0.1:${port}`;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new AshlarError('invalid-options', { detail: `--url ${url}: an address such as http://127.0.0.1:3000` });
  const document =
    flags.document ?? `${basename(file).replace(/\.json(\.gz)?$/, '')}-${Buffer.from(clock.randomBytes(4)).toString('hex')}`;
  const tokenFor = (id: string) =>
    flags.token ?? signFor(settings, { id, access: { [`doc:${document}`]: 'write' } }, TOKEN_SECONDS);

  const end = new AbortController();
  const watch = watchActivity(clock, flags.timeout, (error) => end.abort(error));
  const joined: Joined[] = [];
  const join = async (label: string, clientId?: number): Promise<Joined> => {
    const one = await joinDocument({
      clientId,
      url,
      path: `${settings.prefix}/socket.io/`,
      token: tokenFor(label.replaceAll(' ', '-')),
      document,
      label,
      onFailure: (error) => end.abort(error),
      onActivity: watch.moved,
      signal: end.signal,
    });
    watch.moved();
    joined.push(one);
    return one;
  };

  const output = process.stderr;
  try {
    watch.expect(`no answer from ${url}: is the server running? ashlar serve starts one`);
    const writers: Joined[] = [];
    const clientIds = drawClientIds(plan, () => Buffer.from(clock.randomBytes(4)).readUInt32LE());
    for (const [lane, { agent }] of plan.lanes.entries()) {
      const branch = plan.lanes.slice(0, lane).filter((earlier) => earlier.agent === agent).length;
      writers.push(await join(branch === 0 ? `author ${agent}` : `author ${agent} branch ${branch + 1}`, clientIds[lane]));
    }
    for (let reader = 0; reader < flags.readers; reader += 1) await join(`reader ${reader}`);
    for (const writer of writers) requireEmpty(writer, document);
    const total = trace.transactions.length;
    output.write(
      `${basename(file)}: ${count(total)} edits by ${people(writers.length, 'author')} into doc:${document} at ${url}\n`,
    );

    const breathe = async (): Promise<void> => {
      watch.moved();
      await new Promise((resolve) => setImmediate(resolve));
    };
    const written = await writeUpdates(
      trace,
      plan,
      writers.map(({ doc }) => doc.clientID),
      breathe,
    );

    watch.expect('nothing moved any more: some edits were not saved, or did not reach their readers');
    const progress = createProgress(output, total, now);
    const latencies: number[] = [];
    const start = now();
    await play({
      plan,
      written,
      writers,
      rate: flags.rate,
      now,
      pause: (ms) => (ms === 0 ? breathe() : new Promise((resolve) => clock.after(ms, resolve))),
      onTyped: () => {
        watch.moved();
        progress.advance();
      },
      onSaved: (ms) => {
        watch.moved();
        latencies.push(ms);
      },
      signal: end.signal,
    });
    const seconds = (now() - start) / 1_000;
    progress.finish();
    print(`${count(total)} edits typed and saved in ${seconds.toFixed(1)} s: ${count(Math.round(total / seconds))} edits/s`);
    const latency = describeLatency(latencies);
    if (latency !== null) print(`from typing to saved: ${latency}`);

    if (await settle(joined, trace.endContent, end.signal)) await join(LATER_JOINER);
    return report(joined, trace.endContent);
  } finally {
    watch.stop();
    for (const one of joined) one.close();
  }
}

function report(joined: readonly Joined[], endContent: string): boolean {
  const different = joined.filter((one) => one.text() !== endContent);
  if (different.length === 0) {
    print(
      `converged: ${people(joined.length - 1, 'client')} and a later joiner hold the trace's end, ${count(endContent.length)} characters`,
    );
    return true;
  }
  print('NOT converged:');
  for (const one of different) {
    const text = one.text();
    let at = 0;
    while (at < text.length && text[at] === endContent[at]) at += 1;
    print(
      `  ${one.label} holds ${count(text.length)} characters, the trace ends with ${count(endContent.length)}; they differ from ${count(at)} on`,
    );
  }
  const agree = new Set(joined.map((one) => one.text())).size === 1;
  if (agree)
    print(
      '  All clients agree with each other: the trace may hold concurrent inserts at one place, which each CRDT orders its own way.',
    );
  return false;
}

/** Calls `onStall` once nothing has moved for so many seconds. */
function watchActivity(
  clock: { after(ms: number, task: () => void): () => void; monotonic(): number },
  seconds: number,
  onStall: (error: AshlarError) => void,
) {
  let sentence = '';
  let movedAt = clock.monotonic();
  let cancel: () => void = () => undefined;
  const check = (): void => {
    const left = movedAt + seconds * 1_000 - clock.monotonic();
    if (left > 0) cancel = clock.after(left, check);
    else onStall(new AshlarError('timeout', { detail: sentence }));
  };
  check();
  return {
    /** What a stall from now on means, in words. */
    expect(words: string) {
      sentence = words;
      movedAt = clock.monotonic();
    },
    moved() {
      movedAt = clock.monotonic();
    },
    stop: () => cancel(),
  };
}

const people = (number: number, word: string) => `${count(number)} ${word}${number === 1 ? '' : 's'}`;
const print = (line: string) => process.stdout.write(`${line}\n`);
