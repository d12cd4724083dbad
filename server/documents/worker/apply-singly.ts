import * as decoding from 'lib0/decoding';
import * as Y from 'yjs';

type Structs = (Y.Item | Y.GC)[];

/** Notes the clients of an update while it is read, and where they were before. */
class ClientsDecoder extends Y.UpdateDecoderV1 {
  readonly before = new Map<number, number>();
  readonly #store: Y.Doc['store'];

  constructor(bytes: decoding.Decoder, store: Y.Doc['store']) {
    super(bytes);
    this.#store = store;
  }

  override readClient(): number {
    const client = super.readClient();
    if (!this.before.has(client)) this.before.set(client, Y.getState(this.#store, client));
    return client;
  }
}

/**
 * Applies updates within one transaction, and leaves behind each what a transaction of its own would leave, as a member has it that gets one
 * after the other: what was deleted collected, and structs joined to runs. Where an item that comes later is placed can depend on that. Real
 * transactions would do, but each counts all clients of the document three times, and tells observers.
 * @param applying called with each index before it is applied
 * @throws whatever Yjs throws at an update that does not apply
 */
export function applySingly(transaction: Y.Transaction, updates: readonly Uint8Array[], applying: (index: number) => void): void {
  const { doc } = transaction;
  for (const [index, update] of updates.entries()) {
    applying(index);
    const bytes = decoding.createDecoder(update);
    const decoder = new ClientsDecoder(bytes, doc.store);
    Y.readUpdateV2(bytes, doc, null, decoder);
    settle(transaction, decoder.before);
  }
}

/** What Yjs does at the end of a transaction (cleanupTransactions), in its order. */
function settle(transaction: Y.Transaction, before: ReadonlyMap<number, number>): void {
  const { doc, deleteSet, _mergeStructs: split } = transaction;
  const { clients } = doc.store;
  if (deleteSet.clients.size > 0) {
    Y.tryGc(Y.mergeDeleteSets([deleteSet]), doc.store, doc.gcFilter);
    transaction.deleteSet = Y.createDeleteSet();
  }
  for (const [client, clock] of before) {
    const structs = clients.get(client);
    if (structs === undefined || Y.getState(doc.store, client) === clock) continue;
    const first = Math.max(Y.findIndexSS(structs, clock), 1);
    for (let at = structs.length - 1; at >= first; ) at -= 1 + joinLeft(structs, at);
  }
  for (const { id } of split.reverse()) {
    const structs = clients.get(id.client)!;
    const at = Y.findIndexSS(structs, id.clock);
    if (at + 1 < structs.length && joinLeft(structs, at + 1) > 1) continue;
    if (at > 0) joinLeft(structs, at);
  }
  split.length = 0;
}

/** Joins a struct with those to the left of it, as far as they make one run. @returns how many went into another */
function joinLeft(structs: Structs, at: number): number {
  let first = at;
  for (; first > 0; first -= 1) {
    const [left, right] = [structs[first - 1]!, structs[first]!];
    if (!join(left, right)) break;
    if (!(right instanceof Y.Item) || right.parentSub === null) continue;
    const { _map: values } = right.parent as Y.AbstractType<unknown>;
    if (values.get(right.parentSub) === right) values.set(right.parentSub, left as Y.Item);
  }
  if (first < at) structs.splice(first + 1, at - first);
  return at - first;
}

function join(left: Y.Item | Y.GC, right: Y.Item | Y.GC): boolean {
  if (left.deleted !== right.deleted) return false;
  if (left instanceof Y.Item) return right instanceof Y.Item && left.mergeWith(right);
  return right instanceof Y.GC && left.mergeWith(right);
}
