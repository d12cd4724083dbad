import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from '../../../client/create-client.ts';
import type { Clock } from '../../clock.ts';
import { signToken } from '../../guard/sign-token.ts';
import { workerEntry } from '../../worker-entry.ts';
import { type Check, type CheckContext, must, Skipped, wait } from './checks.ts';

const SESSION = 'verify';
const DOCUMENT = 'verify';
/** An edit and a message every so often, for so long before a kill. */
const WRITE_EVERY_MS = 4;
const LIFE_MS = { least: 60, more: 250 };
const START_WITHIN_MS = 30_000;

/** What clients were told or shown by now. */
interface Told {
  readonly saved: Set<string>;
  readonly seen: Set<string>;
  readonly acked: Set<string>;
  readonly heard: Set<string>;
}

/** `ashlar serve`, as it is installed, killed at work again and again. */
export const KILL_SERVER: Check = {
  name: 'kill -9 of the server at work',
  async run(context) {
    const { clock, kills } = context;
    if (kills === 0) throw new Skipped('--kills 0');
    const secret = Buffer.from(clock.randomBytes(32)).toString('base64');
    const told: Told = { saved: new Set(), seen: new Set(), acked: new Set(), heard: new Set() };
    for (let kill = 1; kill <= kills; kill++) {
      const server = await startServer(context, secret);
      try {
        await requireTold(open(server.url, secret, `reader-${kill}`), told, `after kill ${kill - 1}`);
        await work(server, secret, told, kill, clock);
      } finally {
        await server.kill();
      }
    }
    const server = await startServer(context, secret);
    try {
      await requireTold(open(server.url, secret, 'reader'), told, `after kill ${kills}`);
    } finally {
      await server.kill();
    }
    const edits = new Set([...told.saved, ...told.seen]).size;
    const messages = new Set([...told.acked, ...told.heard]).size;
    must(edits > 0 && messages > 0, 'nothing was acknowledged before the kills: this machine is too slow for the check');
    return `${kills} kills: ${edits} edits and ${messages} messages that were saved or seen, all there once`;
  },
};

/** Two clients write and look on until the server is killed. */
async function work(server: RunningServer, secret: string, told: Told, kill: number, clock: Clock): Promise<void> {
  const writer = open(server.url, secret, 'writer');
  const watcher = open(server.url, secret, 'watcher');
  try {
    const handle = writer.document(DOCUMENT);
    const watched = watcher.document(DOCUMENT);
    watched.doc.getArray<string>('entries').observe((event) => {
      for (const { insert } of event.changes.delta)
        for (const entry of (insert as string[] | undefined) ?? []) told.seen.add(entry);
    });
    watcher.on('chat:message', ({ content }) => void told.heard.add(content));
    await Promise.all([handle.whenSynced, watched.whenSynced, watcher.joinRoom(`chat:${SESSION}`)]);

    const entries = handle.doc.getArray<string>('entries');
    let running = true;
    const next = (index: number): void => {
      if (!running) return;
      const entry = `${kill}-${index}`;
      entries.push([entry]);
      handle.whenSaved().then(
        () => told.saved.add(entry),
        () => {},
      );
      writer.emit('chat:message', { sessionId: SESSION, content: entry }).then(
        () => told.acked.add(entry),
        () => {},
      );
      clock.after(WRITE_EVERY_MS, () => next(index + 1));
    };
    next(0);
    const [draw = 0] = clock.randomBytes(1);
    await wait(clock, LIFE_MS.least + (draw / 255) * LIFE_MS.more);
    await server.kill();
    running = false;
    handle.destroy();
    watched.destroy();
  } finally {
    writer.disconnect();
    watcher.disconnect();
  }
}

/** A client that was never here before finds everything, once. */
async function requireTold(reader: Client, { saved, seen, acked, heard }: Told, when: string): Promise<void> {
  try {
    const handle = reader.document(DOCUMENT);
    await handle.whenSynced;
    requireOnce(handle.doc.getArray<string>('entries').toArray(), [...saved, ...seen], `${when}: edit`);
    handle.destroy();
    await reader.joinRoom(`chat:${SESSION}`);
    const messages: string[] = [];
    for (let before: number | undefined; ; ) {
      const page = await reader.chatHistory(SESSION, { limit: 200, ...(before === undefined ? {} : { before }) });
      messages.push(...page.messages.map(({ data }) => data.content));
      before = page.messages[0]?.meta.seq;
      if (!page.hasMore || before === undefined) break;
    }
    requireOnce(messages, [...acked, ...heard], `${when}: message`);
  } finally {
    reader.disconnect();
  }
}

function requireOnce(there: readonly string[], expected: readonly string[], what: string): void {
  const found = new Set(there);
  const doubled = there.length - found.size;
  must(doubled === 0, `${what}: ${doubled} are there twice`);
  const missing = expected.filter((entry) => !found.has(entry));
  must(
    missing.length === 0,
    `${what} ${missing.slice(0, 5).join(', ')} was saved or seen, and is gone (${missing.length} in all)`,
  );
}

function open(url: string, secret: string, id: string): Client {
  const token = signToken({ id, access: { '*': 'write' } }, secret, { expiresInSeconds: 3_600 });
  const client = createClient({ url, token, transports: ['websocket'] });
  client.connect().catch(() => {});
  return client;
}

interface RunningServer {
  readonly url: string;
  kill(): Promise<void>;
}

async function startServer({ folder, clock }: CheckContext, JWT_SECRET: string): Promise<RunningServer> {
  const cli = fileURLToPath(workerEntry(import.meta.url, '../ashlar.ts'));
  const env = { NODE_ENV: 'production', JWT_SECRET, ASHLAR_LIMITS_EVENTS_PER_MINUTE: '1000000' };
  const child = spawn(process.execPath, [cli, 'serve', '--port', '0', '--host', '127.0.0.1', '--data-dir', folder], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = () => end(child);
  const cancel = clock.after(START_WITHIN_MS, () => void kill());
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
  });
  try {
    for await (const line of createInterface(child.stdout)) {
      said += `${line}\n`;
      if (!line.includes('server:listening')) continue;
      // Whatever it says from here on must be taken from the pipe, or it stands still.
      child.stdout.resume();
      return { url: (JSON.parse(line) as { url: string }).url, kill };
    }
  } finally {
    cancel();
  }
  throw new Error(`the server did not start: ${said.trim().split('\n').at(-1) ?? ''}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
