import { deepStrictEqual as same } from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Socket } from 'socket.io-client';
import { createClient, platformEnvironment } from '../../client/index.ts';
import type { EventMeta, Position } from '../../shared/position.ts';
import { type ChildServer, startChildServer } from './child-server.ts';
import { connectTo } from './connect-to.ts';
import { FrameReplica } from './frame-replica.ts';
import { drawFrom } from './mutate-update.ts';
import { ask, tokenFor } from './start-server.ts';
import { startTcpProxy } from './tcp-proxy.ts';

const SESSION = 'support';
const ROOM = `chat:${SESSION}`;
const NOTHING_MISSING = { ackedAndGone: [], seenAndGone: [], doubled: [] };

/** 200 edits a second. */
const TYPING_MS = 5;
/** Chat goes on at a pace that stays below 100 a minute for each process's life. */
const CHAT_EVERY = 4;

/** What was told and seen by the end: edits saved, edits seen by another, messages acked. */
export interface CrashTally {
  readonly saved: number;
  readonly seen: number;
  readonly acked: number;
}

export interface CrashOptions {
  readonly kills: number;
  readonly seed: number;
  progress?(tally: CrashTally & { readonly kill: number }): void;
}

/**
 * Works on a document and in a chat while the built server is killed again and again with `kill -9`, and looks after each kill, with a fresh
 * client, whether all that anyone saw or was told saved is there, once.
 * @throws AssertionError, with the seed, at the first thing that is missing or doubled
 */
export async function crashLoop({ kills, seed, progress }: CrashOptions): Promise<CrashTally> {
  const draw = drawFrom(seed);
  // The chat of some 850 kills is longer than a room's log is kept by default.
  await using server = await startChildServer({ ASHLAR_RETENTION_LOG_MAX_RECORDS: String(10_000 + 20 * kills) });
  await using proxy = await startTcpProxy(server.url);
  // The SDK waits at random before it comes back: here always for the shortest while.
  const environment = { ...platformEnvironment(), random: () => 0.05 };
  const open = (id: string) => {
    // A token holds for an hour, a thousand kills may take longer.
    const token = async () => tokenFor(id);
    const client = createClient({ url: proxy.url, token, transports: ['websocket'], environment });
    void client.connect();
    return { client, handle: client.document('minutes') };
  };

  const writer = open('ada');
  const typed = writer.handle.doc.getArray<number>('typed');
  const saved = new Set<number>();
  const watcher = open('bob');
  const seen = new Set<number>();
  watcher.handle.doc.getArray<number>('typed').observe((event) => {
    for (const { insert } of event.changes.delta) for (const entry of (insert as number[] | undefined) ?? []) seen.add(entry);
  });
  const chat = new Chat();

  for (let kill = 1; kill <= kills; kill++) {
    await Promise.all([writer.handle.whenSynced, watcher.handle.whenSynced]);
    await chat.connect(server);
    const edits = 15 + draw(60);
    for (let count = 0; count < edits; count++) {
      const entry = typed.length;
      typed.push([entry]);
      writer.handle.whenSaved().then(
        () => saved.add(entry),
        () => {},
      );
      if (count % CHAT_EVERY === 0) chat.send();
      await delay(TYPING_MS);
    }
    await delay(draw(6));
    await server.kill();
    proxy.cut();
    await server.restart();
    proxy.target(server.url);

    // A fresh client, before the others can bring anything back.
    const told = `kill ${kill}, seed ${seed}`;
    await using fresh = await FrameReplica.open(server.url, tokenFor('eve'), 'minutes');
    const there = new Set(fresh.doc.getArray<number>('typed').toArray());
    same(
      [...saved].filter((entry) => !there.has(entry)),
      [],
      `${told}: told saved, and gone`,
    );
    same(
      [...seen].filter((entry) => !there.has(entry)),
      [],
      `${told}: seen, and gone`,
    );
    same(await chat.missing(server), NOTHING_MISSING, `${told}: chat`);
    progress?.({ kill, saved: saved.size, seen: seen.size, acked: chat.acked.size });
    proxy.mend();
  }

  await Promise.all([writer.handle.whenSynced, writer.handle.whenSaved()]);
  await using last = await FrameReplica.open(server.url, tokenFor('eve'), 'minutes');
  same(last.doc.getArray('typed').toArray(), typed.toArray(), `seed ${seed}: a fresh client`);
  same(
    typed.toArray(),
    Array.from({ length: typed.length }, (_, index) => index),
    `seed ${seed}: the order`,
  );
  await chat.connect(server);
  await chat.settled();
  same((await chat.contents(server)).length, chat.sent, `seed ${seed}: chat messages`);
  same(await chat.missing(server), NOTHING_MISSING, `seed ${seed}: chat`);
  for (const { client, handle } of [writer, watcher]) {
    handle.destroy();
    client.disconnect();
  }
  chat.close();
  return { saved: saved.size, seen: seen.size, acked: chat.acked.size };
}

/** A sender that repeats what was not acked (and a little of what was, as after a lost ack), and a listener, both stock clients. */
class Chat {
  readonly acked = new Map<string, number>();
  readonly seen = new Map<string, number>();
  sent = 0;
  #sender: Socket | undefined;
  #open: Socket[] = [];
  #position: Position | undefined;
  #underWay: Promise<void>[] = [];

  async connect(server: ChildServer): Promise<void> {
    const listener = await connectTo(server.url, tokenFor('cleo'));
    listener.on('chat:message', ({ content }: { content: string }, { seq, epoch }: Required<EventMeta>) => {
      // Exactly what came after its position, in order, once: over all kills.
      if (seq !== (this.#position?.seq ?? 0) + 1) throw new Error(`record ${seq} after ${this.#position?.seq}`);
      this.#position = { epoch, seq };
      this.seen.set(content, seq);
    });
    const joined = await ask(listener, 'join-room', ROOM, this.#position ?? {});
    same([joined.success, joined.recovered], [true, this.#position !== undefined], 'the listener’s join');
    this.#sender = await connectTo(server.url, tokenFor('dan'));
    this.#open = [listener, this.#sender];
    this.#underWay = [];
    const repeats = [...this.acked.keys()].slice(-3);
    for (let index = 0; index < this.sent; index++) {
      const content = `message ${index}`;
      if (!this.acked.has(content) || repeats.includes(content)) this.#emit(content);
    }
  }

  /** Ends the connections of the last life. */
  close(): void {
    for (const socket of this.#open) socket.disconnect();
  }

  send(): void {
    this.#emit(`message ${this.sent}`);
    this.sent += 1;
  }

  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  /** What a fresh client reads, page by page. */
  async contents(server: ChildServer): Promise<{ content: string; seq: number }[]> {
    const reader = await connectTo(server.url, tokenFor('eve'));
    const found: { content: string; seq: number }[] = [];
    for (let more = true; more; ) {
      const before = found[0]?.seq;
      const page = await ask(reader, 'chat:history', {
        sessionId: SESSION,
        limit: 200,
        ...(before === undefined ? {} : { before }),
      });
      for (const { data, meta } of page.messages.reverse()) found.unshift({ content: data.content, seq: meta.seq });
      more = page.hasMore;
    }
    reader.disconnect();
    return found;
  }

  async missing(server: ChildServer): Promise<{ ackedAndGone: string[]; seenAndGone: string[]; doubled: string[] }> {
    const contents = await this.contents(server);
    const stored = new Map(contents.map(({ content, seq }) => [content, seq]));
    const gone = (told: Map<string, number>) => [...told].filter(([content, seq]) => stored.get(content) !== seq).map(String);
    const names = contents.map(({ content }) => content);
    return {
      ackedAndGone: gone(this.acked),
      seenAndGone: gone(this.seen),
      doubled: names.filter((content, index) => names.indexOf(content) !== index),
    };
  }

  #emit(content: string): void {
    const answered = new Promise<void>((resolve) => {
      this.#sender?.emit(
        'chat:message',
        { sessionId: SESSION, content },
        { id: content },
        (answer: { success: boolean; data: { content: string }; meta: EventMeta }) => {
          same([answer.success, answer.data.content], [true, content], 'the answer to a message');
          const first = this.acked.get(content);
          // A repeat gets the first answer.
          if (first !== undefined) same(answer.meta.seq, first, 'the answer to a repeat');
          this.acked.set(content, answer.meta.seq as number);
          resolve();
        },
      );
    });
    this.#underWay.push(answered);
  }
}
