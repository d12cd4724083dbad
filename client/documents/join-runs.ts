import * as Y from 'yjs';

/**
 * Makes one item of each run of typed text in an update (V1), as a Y.Doc does with what it holds: `Y.mergeUpdates` leaves each keystroke an
 * item of its own, some twenty bytes. Whoever applies either has the same.
 */
export function joinRuns(update: Uint8Array): Uint8Array {
  const { structs, ds } = Y.decodeUpdate(update);
  // A store only to be written from: nothing is integrated. Drawing a guid would take longer than all the rest.
  const joined = new Y.Doc({ guid: '' });
  const { clients } = joined.store;
  for (const struct of structs) {
    // A gap (Skip) or what was collected (GC) would count as deleted below.
    if (!(struct instanceof Y.Item)) return update;
    const list = clients.get(struct.id.client) ?? [];
    const last = list.at(-1);
    if (last !== undefined && goesOn(last, struct)) continue;
    clients.set(struct.id.client, list);
    list.push(struct);
  }
  const encoded = Y.encodeStateAsUpdate(joined);
  // Merging takes the longer items, and the deletions as they were.
  return ds.clients.size === 0 ? encoded : Y.mergeUpdates([encoded, update]);
}

/** Adds an item's text to the one that it was typed right behind, where nothing else tells the two apart. */
function goesOn(before: Y.Item | Y.GC, next: Y.Item): boolean {
  const { id, length, content, lastId, rightOrigin } = before as Y.Item;
  const joins =
    content instanceof Y.ContentString &&
    next.content instanceof Y.ContentString &&
    next.id.clock === id.clock + length &&
    Y.compareIDs(next.origin, lastId) &&
    Y.compareIDs(next.rightOrigin, rightOrigin) &&
    content.mergeWith(next.content);
  if (joins) before.length += next.length;
  return joins;
}
