import * as Y from 'yjs';
import { mergeInTree } from './merge-updates.ts';

/**
 * Makes one update (V1) of several that a Y.Doc told one after the other, with one item for each run of typed text, as the Y.Doc itself has it.
 * `Y.mergeUpdates` leaves each keystroke an item of its own, some twenty bytes, and takes several times as long. Whoever applies either has the same.
 */
export function joinUpdates(updates: readonly Uint8Array[]): Uint8Array {
  // A store only to be written from: nothing is integrated. Drawing a guid would take longer than all the rest.
  const joined = new Y.Doc({ guid: '' });
  const { clients } = joined.store;
  const deletions: ReturnType<typeof Y.mergeDeleteSets>[] = [];
  for (const update of updates) {
    const { structs, ds } = Y.decodeUpdate(update);
    if (ds.clients.size > 0) deletions.push(ds);
    for (const struct of structs) {
      // A gap (Skip) or what was collected (GC) would count as deleted, and what comes twice be there twice.
      if (!(struct instanceof Y.Item)) return mergeInTree(updates);
      const list = clients.get(struct.id.client);
      const last = list?.at(-1);
      if (list === undefined || last === undefined) clients.set(struct.id.client, [struct]);
      else if (last.id.clock + last.length !== struct.id.clock) return mergeInTree(updates);
      else if (!goesOn(last, struct)) list.push(struct);
    }
  }
  const items = Y.encodeStateAsUpdate(joined);
  if (deletions.length === 0) return items;
  // Both end in an empty map, one byte: of deletions, and of clocks.
  const deleted = Y.encodeSnapshot(Y.createSnapshot(Y.mergeDeleteSets(deletions), new Map()));
  const update = new Uint8Array(items.length + deleted.length - 2);
  update.set(items.subarray(0, -1));
  update.set(deleted.subarray(0, -1), items.length - 1);
  return update;
}

/** Adds an item's text to the one that it was typed right behind, where nothing else tells the two apart. */
function goesOn(before: Y.Item | Y.GC, next: Y.Item): boolean {
  const { content, lastId, rightOrigin } = before as Y.Item;
  const joins =
    content instanceof Y.ContentString &&
    next.content instanceof Y.ContentString &&
    Y.compareIDs(next.origin, lastId) &&
    Y.compareIDs(next.rightOrigin, rightOrigin) &&
    content.mergeWith(next.content);
  if (joins) before.length += next.length;
  return joins;
}
