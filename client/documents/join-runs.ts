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
  let items = 0;
  for (const struct of structs) {
    // A gap (Skip) or what was collected (GC) would count as deleted below.
    if (!(struct instanceof Y.Item)) return update;
    const list = clients.get(struct.id.client) ?? [];
    const last = list.at(-1);
    if (last !== undefined && goesOn(last, struct)) continue;
    clients.set(struct.id.client, list);
    list.push(struct);
    items++;
  }
  if (items === structs.length) return update;
  const encoded = Y.encodeStateAsUpdate(joined);
  // Merging takes the longer items, and the deletions as they were.
  return ds.clients.size === 0 ? encoded : Y.mergeUpdates([encoded, update]);
}

/** Adds an item's text to the one that it was typed right behind, where nothing else tells the two apart. */
function goesOn(before: Y.Item | Y.GC, next: Y.Item): boolean {
  const { id, content, rightOrigin } = before as Y.Item;
  if (!(content instanceof Y.ContentString && next.content instanceof Y.ContentString)) return false;
  const end = id.clock + before.length;
  const follows = next.id.clock === end && next.origin?.client === id.client && next.origin.clock === end - 1;
  if (!follows || !Y.compareIDs(rightOrigin, next.rightOrigin)) return false;
  content.str += next.content.str;
  before.length += next.length;
  return true;
}
