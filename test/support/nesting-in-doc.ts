import * as Y from 'yjs';

type AnyType = Y.AbstractType<unknown>;

/** How many Y types stand in each other at most, roots not counted: deleted ones too, until their transaction ends. */
export function nestingInDoc(doc: Y.Doc): number {
  const depths = new Map<AnyType, number>();
  let deepest = 0;
  for (const structs of doc.store.clients.values()) {
    for (const struct of structs) {
      if (!(struct instanceof Y.Item) || !(struct.content instanceof Y.ContentType)) continue;
      deepest = Math.max(deepest, depthOf(struct.content.type as AnyType, depths));
    }
  }
  return deepest;
}

/** Climbs without recursion: what is measured may be deeper than a stack. */
function depthOf(type: AnyType, depths: Map<AnyType, number>): number {
  const path: AnyType[] = [];
  let depth = 0;
  for (let at: unknown = type; at instanceof Y.AbstractType && at._item !== null; at = at._item.parent) {
    const known = depths.get(at);
    if (known !== undefined) {
      depth = known;
      break;
    }
    path.push(at);
  }
  for (const below of path.reverse()) depths.set(below, ++depth);
  return depth;
}
