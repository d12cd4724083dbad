import * as Y from 'yjs';
import { AshlarError } from '../../../shared/errors.ts';
import { hasPairs, utf16Index } from './code-points.ts';
import type { Plan } from './plan-lanes.ts';
import type { Patch, Trace } from './read-trace.ts';

/** The Y.Text that a replay types into. */
export const TEXT = 'text';

/** One transaction as its author's client sends it, and how others know that it has reached them. */
export interface WrittenTransaction {
  /** Yjs V1; null where it changes nothing. */
  readonly update: Uint8Array | null;
  /** The next clock of its author's client id after it. */
  readonly clock: number;
  /** Something that it deleted, where it typed nothing: deletions leave no clock. */
  readonly deleted: Y.ID | null;
}

interface Author {
  readonly doc: Y.Doc;
  readonly text: Y.Text;
  /** How many transactions of each lane it holds. */
  readonly holds: number[];
}

/** Transactions written between two breaths of the event loop: sockets answer pings meanwhile. */
const WRITTEN_AT_ONCE = 500;

/**
 * Writes every transaction of a trace against exactly what its author saw: in one Y.Doc per lane, to which just its ancestors are
 * given first. A lane's doc never holds more than that, since each of its transactions follows from all before it.
 * @param clientIds lane → the Yjs client id that its client writes under
 * @throws AshlarError `invalid-options` where a patch lies outside of the text that its author had
 */
export async function writeUpdates(
  trace: Trace,
  plan: Plan,
  clientIds: readonly number[],
  breathe: () => Promise<void>,
): Promise<readonly WrittenTransaction[]> {
  const written: WrittenTransaction[] = [];
  const pairs = trace.transactions.some(({ patches }) => patches.some(([, , insert]) => hasPairs(insert)));
  const authors = clientIds.map((clientId): Author => {
    const doc = new Y.Doc();
    doc.clientID = clientId;
    return { doc, text: doc.getText(TEXT), holds: clientIds.map(() => 0) };
  });
  for (const [index, { patches }] of trace.transactions.entries()) {
    const lane = plan.laneOf[index] as number;
    const author = authors[lane] as Author;
    for (const missing of missingAncestors(plan, index, author.holds)) {
      const { update } = written[missing] as WrittenTransaction;
      if (update !== null) Y.applyUpdate(author.doc, update);
    }
    for (const [other, count] of (plan.ancestors[index] as Uint32Array).entries()) author.holds[other] = count;
    written.push(write(author, patches, pairs, index));
    author.holds[lane] = (author.holds[lane] ?? 0) + 1;
    if (index % WRITTEN_AT_ONCE === 0) await breathe();
  }
  for (const { doc } of authors) doc.destroy();
  return written;
}

/** Ancestors that a document lacks, in an order in which each follows its own ancestors. */
function missingAncestors({ lanes, ancestors }: Plan, index: number, holds: readonly number[]): number[] {
  const missing: number[] = [];
  for (const [lane, count] of (ancestors[index] as Uint32Array).entries()) {
    for (let at = holds[lane] ?? 0; at < count; at += 1) missing.push(lanes[lane]?.transactions[at] as number);
  }
  return missing.sort((a, b) => a - b);
}

function write({ doc, text }: Author, patches: readonly Patch[], pairs: boolean, index: number): WrittenTransaction {
  let update: Uint8Array | null = null;
  let deleted: Y.ID | null = null;
  const before = Y.getState(doc.store, doc.clientID);
  const take = (bytes: Uint8Array, _origin: unknown, _doc: Y.Doc, transaction: Y.Transaction): void => {
    update = bytes;
    const [range] = [...transaction.deleteSet.clients].flatMap(([client, ranges]) =>
      ranges.map(({ clock }) => Y.createID(client, clock)),
    );
    deleted = range ?? null;
  };
  doc.once('update', take);
  doc.transact(() => {
    for (const patch of patches) apply(text, patch, pairs, index);
  });
  doc.off('update', take);
  const clock = Y.getState(doc.store, doc.clientID);
  return { update, clock, deleted: clock === before ? deleted : null };
}

function apply(text: Y.Text, [position, deleteCount, insert]: Patch, pairs: boolean, index: number): void {
  let [at, length] = [position, deleteCount];
  if (pairs) {
    const content = text.toString();
    at = utf16Index(content, 0, position);
    length = utf16Index(content, at, deleteCount) - at;
  }
  if (at + length > text.length)
    throw new AshlarError('invalid-options', { detail: `transaction ${index}: a patch lies outside of the text before it` });
  if (length > 0) text.delete(at, length);
  if (insert !== '') text.insert(at, insert);
}
