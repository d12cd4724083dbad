import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';
import { writeDeleteSet } from './delete-set.ts';

/** A Y.Doc in bytes that two documents of the same content share, however their structs happen to be split. */
export interface DocDescription {
  readonly stateVector: Uint8Array;
  readonly deleteSet: Uint8Array;
  /** Every root type: the order of all its items, deleted ones included, and the content of those that are not. */
  readonly content: Uint8Array;
}

type AnyType = Y.AbstractType<unknown>;

/** Describes a document that was loaded whole (`loadDoc`). */
export function describeDoc(doc: Y.Doc): DocDescription {
  const deletes = encoding.createEncoder();
  writeDeleteSet(deletes, Y.createDeleteSetFromStructStore(doc.store).clients);
  const content = new Y.UpdateEncoderV1();
  for (const [name, type] of [...doc.share].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (type._start === null && type._map.size === 0) continue; // asked for, never written
    content.writeString(name);
    // What stands in a type is written behind it, not within: types may be nested deeper than a stack.
    const types = [type as AnyType];
    for (const each of types) writeType(content, each, types);
  }
  return {
    stateVector: Y.encodeStateVector(doc),
    deleteSet: encoding.toUint8Array(deletes),
    content: content.toUint8Array(),
  };
}

/** The first part in which two documents differ; null where they are the same. */
export function differenceOf(a: DocDescription, b: DocDescription): 'state vector' | 'delete set' | 'content' | null {
  if (!sameBytes(a.stateVector, b.stateVector)) return 'state vector';
  if (!sameBytes(a.deleteSet, b.deleteSet)) return 'delete set';
  return sameBytes(a.content, b.content) ? null : 'content';
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** @param inner takes the types that stand in this one */
function writeType(encoder: Y.UpdateEncoderV1, type: AnyType, inner: AnyType[]): void {
  const list: Y.Item[] = [];
  for (let item = type._start; item !== null; item = item.right) list.push(item);
  writeItems(encoder, list, inner);
  encoding.writeVarUint(encoder.restEncoder, type._map.size);
  for (const [key, newest] of [...type._map].sort(([a], [b]) => (a < b ? -1 : 1))) {
    encoder.writeString(key);
    const chain: Y.Item[] = [];
    for (let item: Y.Item | null = newest; item !== null; item = item.left) chain.push(item);
    writeItems(encoder, chain.reverse(), inner);
  }
}

/** Items that Yjs might hold as one struct or as several make one run. */
function writeItems(encoder: Y.UpdateEncoderV1, items: readonly Y.Item[], inner: AnyType[]): void {
  const { restEncoder } = encoder;
  for (let start = 0; start < items.length; ) {
    const first = items[start]!;
    let end = start + 1;
    while (end < items.length && continues(items[end - 1]!, items[end]!)) end += 1;
    const last = items[end - 1]!;
    encoding.writeVarUint(restEncoder, first.deleted ? 2 : 1);
    encoding.writeVarUint(restEncoder, first.id.client);
    encoding.writeVarUint(restEncoder, first.id.clock);
    encoding.writeVarUint(restEncoder, last.id.clock + last.length - first.id.clock);
    if (!first.deleted) writeContent(encoder, items.slice(start, end), inner);
    start = end;
  }
  encoding.writeVarUint(restEncoder, 0);
}

function continues(left: Y.Item, right: Y.Item): boolean {
  return (
    left.id.client === right.id.client &&
    left.id.clock + left.length === right.id.clock &&
    left.deleted === right.deleted &&
    (left.deleted || (left.content.constructor === right.content.constructor && isSplittable(left.content)))
  );
}

const isSplittable = (content: Y.Item['content']): boolean =>
  content instanceof Y.ContentString || content instanceof Y.ContentAny || content instanceof Y.ContentJSON;

function writeContent(encoder: Y.UpdateEncoderV1, run: readonly Y.Item[], inner: AnyType[]): void {
  const { content } = run[0]!;
  encoder.writeInfo(content.getRef());
  if (content instanceof Y.ContentString) {
    encoder.writeString(run.map((item) => (item.content as Y.ContentString).str).join(''));
  } else if (content instanceof Y.ContentAny) {
    for (const item of run) for (const value of (item.content as Y.ContentAny).arr) encoder.writeAny(value);
  } else if (content instanceof Y.ContentJSON) {
    for (const item of run)
      for (const value of (item.content as Y.ContentJSON).arr) encoder.writeString(JSON.stringify(value) ?? '');
  } else {
    content.write(encoder, 0);
    if (content instanceof Y.ContentType) inner.push(content.type as AnyType);
  }
}
