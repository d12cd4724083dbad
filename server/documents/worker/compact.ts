import * as Y from 'yjs';
import { subtractDeletes } from './delete-set.ts';
import { type DocDescription, describeDoc, differenceOf } from './describe-doc.ts';
import { damaged, loadDoc } from './load-doc.ts';
import { mergeState } from './merge-tree.ts';
import { nestingOf } from './nesting-of.ts';

/** A document's snapshot (null: none yet) and the updates behind it, in the order of the log. */
export interface DocumentLog {
  readonly state: Uint8Array | null;
  readonly updates: readonly Uint8Array[];
}

/** A snapshot to come: a Yjs update (V1) and its state vector. */
export interface CompactedState {
  readonly state: Uint8Array;
  readonly stateVector: Uint8Array;
  /** How many Y types stood in each other at most, in all that the log holds: before anything deleted was collected. */
  readonly nesting: number;
}

// Twice what admission lets in. Yjs deletes types in types recursively: about 5,000 end the stack of a member's browser.
const BEARABLE_NESTING = 2_048;

// Loading the byte merge as well takes time by its structs, more than by its bytes: 0.2 s of 1.5 s for 20 MB in 34,000 structs, but 3.7 s
// of 11.5 s for 6 MB in 400,000. What is within either is loaded.
const LOAD_MERGE_UP_TO: MergeSize = { bytes: 4_000_000, structs: 100_000 };

interface MergeSize {
  readonly bytes: number;
  readonly structs: number;
}

/**
 * Makes one state of a log, without the content of what was deleted, and proves that everyone reads the same: members, who applied
 * one update after the other, those who get the merged bytes, and those who will load the result.
 * @param loadMergeUpTo a merge above both is not loaded too: only its clocks and deletions are compared. Default 4 MB, 100,000 structs
 * @throws AshlarError `document-damaged`: an update does not apply, something stays pending, two of the three differ, or Y types
 * are nested so deep that nobody could delete them
 */
export function compact({ state, updates }: DocumentLog, loadMergeUpTo = LOAD_MERGE_UP_TO): CompactedState {
  const doc = loadDoc(state, updates);
  const members = describeDoc(doc);
  const compacted = Y.encodeStateAsUpdate(doc);
  doc.destroy();

  const merged = merge(state, updates);
  const { nesting, size } = compareMerge(members, merged);
  compareLoaded(members, compacted, 'the compacted state');
  if (size.bytes <= loadMergeUpTo.bytes || size.structs <= loadMergeUpTo.structs) compareLoaded(members, merged, 'the merge');
  return { state: compacted, stateVector: members.stateVector, nesting };
}

function merge(state: Uint8Array | null, updates: readonly Uint8Array[]): Uint8Array {
  try {
    return mergeState(state, updates);
  } catch (error) {
    // Yjs reads an update in two ways, and they do not refuse the same.
    throw damaged('the log applies but does not merge', error);
  }
}

/** What the bytes alone tell: types that can be deleted, the same clocks, no deletion that the document does not have. */
function compareMerge(members: DocDescription, merged: Uint8Array): { readonly nesting: number; readonly size: MergeSize } {
  const { structs, ds } = Y.decodeUpdate(merged);
  const nesting = nestingOf(structs);
  if (nesting > BEARABLE_NESTING) throw damaged(`types nested ${nesting} deep`);
  const clocks = Y.decodeStateVector(Y.encodeStateVectorFromUpdate(merged));
  const expected = Y.decodeStateVector(members.stateVector);
  const same = clocks.size === expected.size && [...expected].every(([client, clock]) => clocks.get(client) === clock);
  if (!same) throw damaged('the merge differs in its state vector');
  // The document may have deleted more: those who lost a map key, and what came into a deleted parent.
  const applied = Y.decodeUpdate(Buffer.concat([Uint8Array.of(0), members.deleteSet])).ds.clients;
  if (subtractDeletes(ds.clients, applied).size > 0) throw damaged('the merge differs in its delete set');
  return { nesting, size: { bytes: merged.length, structs: structs.length } };
}

function compareLoaded(members: DocDescription, state: Uint8Array, which: string): void {
  let doc: Y.Doc;
  try {
    doc = loadDoc(state, []);
  } catch (error) {
    throw damaged(`${which} does not load`, error);
  }
  const difference = differenceOf(members, describeDoc(doc));
  doc.destroy();
  if (difference !== null) throw damaged(`${which} differs in its ${difference}`);
}
