import * as Y from 'yjs';
import type { Plan } from './plan-lanes.ts';
import type { WrittenTransaction } from './write-updates.ts';

/** A client that takes part: its live document, and a promise that all of its edits so far are saved. */
export interface Participant {
  readonly doc: Y.Doc;
  whenSaved(): Promise<void>;
}

export interface PlayOptions {
  readonly plan: Plan;
  readonly written: readonly WrittenTransaction[];
  /** Lane → its client. */
  readonly writers: readonly Participant[];
  /** Transactions per second over all lanes; undefined: as fast as it goes. */
  readonly rate: number | undefined;
  /** Monotonic ms. */
  readonly now: () => number;
  /** Resolves after `ms`; 0: after the event loop has gone round. */
  readonly pause: (ms: number) => Promise<void>;
  /** Called for each transaction that was typed. */
  readonly onTyped: () => void;
  /** Called with ms from typing to the promise that it is saved; some transactions, not all. */
  readonly onSaved: (ms: number) => void;
  /** Ends the play: whatever is waited for. */
  readonly signal: AbortSignal;
}

/** How long a client types before it lets its socket have a turn. */
const TURN_MS = 8;
/** Unsaved transactions that a client may have before it waits for the server. */
const MAX_UNSAVED = 4_000;
const SAVED_EVERY = 100;

/**
 * Types each lane through its own client, in order, each transaction once everything that its author saw has arrived at that client.
 * Resolves when all is typed and saved; rejects with the signal's reason.
 */
export async function play(options: PlayOptions): Promise<void> {
  const pace = makePace(options);
  await Promise.all(options.writers.map((writer, lane) => playLane(options, lane, writer, pace)));
}

async function playLane(options: PlayOptions, lane: number, writer: Participant, pace: () => Promise<void>): Promise<void> {
  const { plan, written, now, pause, onTyped, onSaved, signal } = options;
  const clientIds = options.writers.map(({ doc }) => doc.clientID);
  const saving: Promise<void>[] = [];
  let turnEnds = now() + TURN_MS;
  let typed = 0;
  for (const index of plan.lanes[lane]?.transactions ?? []) {
    await pace();
    await until(writer.doc, () => hasArrived(options, index, lane, writer.doc, clientIds), signal);
    if (now() >= turnEnds) {
      await pause(0);
      turnEnds = now() + TURN_MS;
    }
    signal.throwIfAborted();
    const { update } = written[index] as WrittenTransaction;
    if (update !== null) typeUpdate(writer.doc, update);
    onTyped();
    typed += 1;
    if (typed % SAVED_EVERY === 0) {
      const typedAt = now();
      saving.push(writer.whenSaved().then(() => onSaved(now() - typedAt)));
      if (saving.length > MAX_UNSAVED / SAVED_EVERY) await unlessAborted(saving.shift() as Promise<void>, signal);
    }
  }
  const typedAt = now();
  await unlessAborted(Promise.all([...saving, writer.whenSaved().then(() => onSaved(now() - typedAt))]), signal);
}

/**
 * Applies an update under the document's own client id as the local edit that it is. Yjs takes a transaction that applies an update for
 * a remote one, and would then draw a new client id because "another client" seems to use this one.
 */
function typeUpdate(doc: Y.Doc, update: Uint8Array): void {
  doc.transact((transaction) => {
    Y.applyUpdate(doc, update);
    transaction.local = true;
  });
}

/** Whether all ancestors of a transaction are in a client's document. Of each lane the newest says it: they come in order. */
function hasArrived(
  { plan, written }: PlayOptions,
  index: number,
  lane: number,
  doc: Y.Doc,
  clientIds: readonly number[],
): boolean {
  for (const [other, count] of (plan.ancestors[index] as Uint32Array).entries()) {
    if (other === lane || count === 0) continue;
    const newest = plan.lanes[other]?.transactions[count - 1] as number;
    const { clock, deleted } = written[newest] as WrittenTransaction;
    if (Y.getState(doc.store, clientIds[other] as number) < clock) return false;
    if (deleted !== null && !isDeleted(doc, deleted)) return false;
  }
  return true;
}

function isDeleted({ store }: Y.Doc, id: Y.ID): boolean {
  const structs = store.clients.get(id.client);
  if (structs === undefined || Y.getState(store, id.client) <= id.clock) return false;
  return structs[Y.findIndexSS(structs, id.clock)]?.deleted === true;
}

/** Resolves once a document fulfils a condition, which is asked after each of its updates. */
export function until(doc: Y.Doc, holds: () => boolean, signal: AbortSignal): Promise<void> {
  if (holds()) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const done = (): void => {
      doc.off('update', check);
      signal.removeEventListener('abort', stop);
    };
    const check = (): void => {
      if (!holds()) return;
      done();
      resolve();
    };
    const stop = (): void => {
      done();
      reject(signal.reason);
    };
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    doc.on('update', check);
    signal.addEventListener('abort', stop);
  });
}

/** A promise that also rejects when the signal fires. */
export function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** Holds all lanes together to a rate: the nth transaction is typed no earlier than n/rate seconds after the start. */
function makePace({ rate, now, pause }: PlayOptions): () => Promise<void> {
  const start = now();
  let begun = 0;
  return async () => {
    if (rate === undefined || rate === 0) return;
    const due = start + (begun * 1_000) / rate;
    begun += 1;
    if (due > now()) await pause(due - now());
  };
}
