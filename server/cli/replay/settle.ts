import * as Y from 'yjs';
import { AshlarError } from '../../../shared/errors.ts';

/** A client that has nothing more to type. */
export interface Settling {
  readonly doc: Y.Doc;
  text(): string;
  /** Whether it is in sync with the server, and all of its own edits are saved. */
  isAtRest(): boolean;
  /** Calls the listener when its document or `isAtRest` may have changed. @returns a function that ends that */
  onChange(listener: () => void): () => void;
}

/**
 * Waits until every client holds the text.
 * @returns false where that will not be: all are at rest with one and the same document, which has another text, or the signal says `timeout`
 * @throws AshlarError any other reason of the signal
 */
export function settle(clients: readonly Settling[], endContent: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let looking: NodeJS.Immediate | undefined;
    const done = (): void => {
      clearImmediate(looking);
      signal.removeEventListener('abort', stop);
      for (const unsubscribe of listening) unsubscribe();
    };
    const look = (): void => {
      looking = undefined;
      const converged = clients.every((one) => one.text() === endContent);
      if (!converged && !agree(clients)) return;
      done();
      resolve(converged);
    };
    // Once for all that one turn brings: a look reads every client's whole text.
    const soon = (): void => {
      looking ??= setImmediate(look);
    };
    const stop = (): void => {
      done();
      const { reason } = signal;
      if (reason instanceof AshlarError && reason.code === 'timeout') resolve(false);
      else reject(reason);
    };
    const listening = clients.map((one) => one.onChange(soon));
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    else look();
  });
}

/**
 * Whether nothing is on its way to anybody any more. Each author's document holds all that the author typed, so that documents that are the
 * same hold everything; texts alone say less: what was typed and taken back again may still be on its way.
 */
function agree(clients: readonly Settling[]): boolean {
  const [first, ...others] = clients;
  if (first === undefined || !clients.every((one) => one.isAtRest())) return false;
  const vector = Y.encodeStateVector(first.doc);
  // Cheap, and enough to tell most that are still behind; a snapshot walks all structs.
  if (!others.every(({ doc }) => Buffer.compare(Y.encodeStateVector(doc), vector) === 0)) return false;
  const snapshot = Y.snapshot(first.doc);
  const text = first.text();
  return others.every((one) => Y.equalSnapshots(Y.snapshot(one.doc), snapshot) && one.text() === text);
}
