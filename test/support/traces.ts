import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import * as Y from 'yjs';

/** Position and number of code points to delete, then the text to insert there. */
export type Patch = readonly [position: number, deleteCount: number, insert: string];

/** A session flattened into one sequence. */
export interface SequentialTrace {
  readonly kind: 'sequential';
  readonly startContent: string;
  readonly endContent: string;
  readonly txns: readonly { readonly patches: readonly Patch[] }[];
}

/** A session with its real concurrency: positions are relative to the merge of a transaction's `parents` (indexes of earlier ones). */
export interface ConcurrentTrace {
  readonly kind: 'concurrent';
  readonly endContent: string;
  readonly numAgents: number;
  readonly txns: readonly {
    readonly parents: readonly number[];
    readonly agent: number;
    readonly patches: readonly Patch[];
  }[];
}

/** Loads a sequential trace of test/fixtures/traces. */
export function loadTrace(name: 'friendsforever_flat' | 'seph-blog1'): SequentialTrace {
  return { ...(read(name) as Omit<SequentialTrace, 'kind'>), kind: 'sequential' };
}

/** Loads the concurrent trace of test/fixtures/traces. */
export function loadConcurrentTrace(name: 'friendsforever.concurrent' = 'friendsforever.concurrent'): ConcurrentTrace {
  return read(name) as ConcurrentTrace;
}

function read(name: string): unknown {
  const file = new URL(`../fixtures/traces/${name}.json.gz`, import.meta.url);
  return JSON.parse(gunzipSync(readFileSync(file)).toString('utf8'));
}

/** Applies a transaction's patches to a text, as one Yjs transaction. Patches count code points, Yjs counts UTF-16 units. */
export function applyPatches(text: Y.Text, patches: readonly Patch[], origin: unknown = null): void {
  const doc = text.doc;
  if (doc === null) throw new Error('the text belongs to no document');
  doc.transact(() => {
    for (const [position, deleteCount, insert] of patches) {
      const from = toUnits(text, position);
      const to = toUnits(text, position + deleteCount);
      if (to > from) text.delete(from, to - from);
      if (insert !== '') text.insert(from, insert);
    }
  }, origin);
}

const astral = new WeakMap<Y.Text, { found: boolean }>();

/** The UTF-16 offset of a code point's position. Cheap until a text holds a character outside the basic plane. */
function toUnits(text: Y.Text, position: number): number {
  if (!holdsAstral(text)) return position;
  let units = 0;
  let points = 0;
  for (const character of text.toString()) {
    if (points++ === position) break;
    units += character.length;
  }
  return units;
}

function holdsAstral(text: Y.Text): boolean {
  const known = astral.get(text);
  if (known !== undefined) return known.found;
  const watch = { found: hasSurrogate(text.toString()) };
  astral.set(text, watch);
  text.observe((event) => {
    watch.found ||= event.delta.some((part) => typeof part.insert === 'string' && hasSurrogate(part.insert));
  });
  return watch.found;
}

function hasSurrogate(text: string): boolean {
  return /[\ud800-\udfff]/.test(text);
}

/** One agent's document in a concurrent replay. */
export interface TraceAgent {
  readonly doc: Y.Doc;
  readonly text: Y.Text;
}

/**
 * Replays a concurrent trace with one document per agent, each getting exactly a transaction's ancestors before it is written.
 * @param onUpdate gets each agent's update in the order of the trace, an order in which everything follows its causes
 */
export function replayConcurrent(
  trace: ConcurrentTrace,
  onUpdate: (update: Uint8Array, agent: number) => void,
  transactions = trace.txns.length,
): TraceAgent[] {
  const agents = Array.from({ length: trace.numAgents }, (_, index): TraceAgent => {
    const doc = new Y.Doc();
    doc.clientID = index + 1;
    return { doc, text: doc.getText('text') };
  });
  const updates: Uint8Array[] = [];
  const has = agents.map(() => new Set<number>());
  for (const [index, { parents, agent, patches }] of trace.txns.slice(0, transactions).entries()) {
    const member = agents[agent];
    const held = has[agent];
    if (member === undefined || held === undefined) throw new Error(`transaction ${index} of an unknown agent`);
    const missing = new Set<number>();
    const open = [...parents];
    for (let parent = open.pop(); parent !== undefined; parent = open.pop()) {
      if (held.has(parent) || missing.has(parent)) continue;
      missing.add(parent);
      open.push(...(trace.txns[parent]?.parents ?? []));
    }
    for (const parent of [...missing].sort((a, b) => a - b)) {
      Y.applyUpdate(member.doc, updates[parent] as Uint8Array, 'remote');
      held.add(parent);
    }
    const written: Uint8Array[] = [];
    const collect = (update: Uint8Array) => written.push(update);
    member.doc.on('update', collect);
    applyPatches(member.text, patches);
    member.doc.off('update', collect);
    const update = written.length === 1 ? (written[0] as Uint8Array) : Y.mergeUpdates(written);
    updates.push(update);
    held.add(index);
    onUpdate(update, agent);
  }
  return agents;
}
