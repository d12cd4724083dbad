import * as Y from 'yjs';
import { type DeleteRange, type DeleteSet, deletesMeet, unionDeletes } from './delete-set.ts';

/**
 * Which updates cannot stay when one of them goes: those that build on its structs or delete them, and those that build on these.
 * @param updates in the order of the log, each (client, clock) once
 * @param culprit an index
 * @returns indexes above `culprit`, ascending; an update that cannot be decoded is left to be found by itself
 */
export function findDependents(updates: readonly Uint8Array[], culprit: number): number[] {
  let gone: DeleteSet = new Map();
  const dependents: number[] = [];
  for (let index = culprit; index < updates.length; index += 1) {
    const touched = read(updates[index]!);
    if (touched === null) continue;
    if (index > culprit) {
      if (!deletesMeet(touched.needs, gone)) continue;
      dependents.push(index);
    }
    gone = unionDeletes([gone, touched.brings]);
  }
  return dependents;
}

/** The ids that an update brings, and those that must be there before it. */
function read(update: Uint8Array): { readonly brings: DeleteSet; readonly needs: DeleteSet } | null {
  const brings = new Map<number, DeleteRange[]>();
  const needs = new Map<number, DeleteRange[]>();
  const add = (to: Map<number, DeleteRange[]>, client: number, clock: number, len = 1) => {
    const ranges = to.get(client);
    if (ranges === undefined) to.set(client, [{ clock, len }]);
    else ranges.push({ clock, len });
  };
  try {
    const { structs, ds } = Y.decodeUpdate(update);
    for (const struct of structs) {
      const { client, clock } = struct.id;
      if (struct instanceof Y.Skip) continue;
      add(brings, client, clock, struct.length);
      if (clock > 0) add(needs, client, clock - 1);
      if (!(struct instanceof Y.Item)) continue;
      const parent: unknown = struct.parent;
      for (const id of [struct.origin, struct.rightOrigin, parent]) if (id instanceof Y.ID) add(needs, id.client, id.clock);
    }
    return { brings, needs: unionDeletes([needs, ds.clients]) };
  } catch {
    return null;
  }
}
