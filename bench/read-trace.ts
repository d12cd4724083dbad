import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import * as Y from 'yjs';
import { TEXT } from './support.ts';

/** A recorded session as one client's Yjs updates, and the text that they make. */
export interface RecordedSession {
  readonly clientId: number;
  readonly edits: number;
  readonly updates: readonly Uint8Array[];
  readonly text: string;
}

/** What was edited at once. */
export type Transaction = readonly (readonly [at: number, deleted: number, inserted: string])[];

interface Trace {
  readonly startContent: string;
  readonly endContent: string;
  readonly txns: readonly { readonly patches: Transaction }[];
}

/** The recorded session seph-blog1, which begins with an empty text. */
export const SEPH_BLOG1 = new URL('../../test/fixtures/traces/seph-blog1.json.gz', import.meta.url);

/** The transactions of seph-blog1 as they were typed. */
export function readEdits(): readonly Transaction[] {
  return parse(SEPH_BLOG1).txns.map(({ patches }) => patches);
}

/** What transactions make of an empty text, found without Yjs. */
export function textOf(transactions: readonly Transaction[]): string {
  let text = '';
  for (const [at, deleted, inserted] of transactions.flat()) text = text.slice(0, at) + inserted + text.slice(at + deleted);
  return text;
}

function parse(file: URL): Trace {
  return JSON.parse(gunzipSync(readFileSync(file)).toString('utf8')) as Trace;
}

/**
 * Reads a sequential trace without characters beyond 16 bits.
 * @param editsPerUpdate edits that one update brings
 * @param singly the last edits, which come one an update
 */
export function readTrace(file: URL, editsPerUpdate: number, singly: number): RecordedSession {
  const trace = parse(file);
  const doc = new Y.Doc();
  doc.clientID = 1_234_567_891;
  const text = doc.getText(TEXT);
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  if (trace.startContent !== '') text.insert(0, trace.startContent);
  for (let from = 0; from < trace.txns.length; ) {
    const to = from < trace.txns.length - singly ? Math.min(from + editsPerUpdate, trace.txns.length - singly) : from + 1;
    doc.transact(() => {
      for (const { patches } of trace.txns.slice(from, to)) {
        for (const [at, deleted, inserted] of patches) {
          if (deleted > 0) text.delete(at, deleted);
          if (inserted !== '') text.insert(at, inserted);
        }
      }
    });
    from = to;
  }
  if (text.toString() !== trace.endContent) throw new Error(`${file.pathname} does not end as it says`);
  doc.destroy();
  return { clientId: doc.clientID, edits: trace.txns.length, updates, text: trace.endContent };
}
