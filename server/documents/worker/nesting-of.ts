import * as Y from 'yjs';

type Struct = ReturnType<typeof Y.decodeUpdate>['structs'][number];

/** Of what is collected, or stands in what is. */
const NOWHERE = -1;
/** Of what is being looked into: whoever meets it stands in a circle. */
const OPEN = -2;

/**
 * How many Y types stand in each other at most, roots not counted, deleted ones too: as in the document to which the structs are applied in
 * one transaction, before its end. Climbs without recursion: what is measured may be deeper than a stack.
 * @param structs those of one update, all that the document has
 */
export function nestingOf(structs: readonly Struct[]): number {
  const types = structs.filter((struct) => isType(struct));
  if (types.length === 0) return 0;
  const find = finderOf(structs);
  /** How many types each stands in. */
  const depths = new Map<Struct, number>();
  let deepest = 0;
  for (const type of types) deepest = Math.max(deepest, depthOf(type, depths, find) + 1);
  return deepest;
}

type Find = (id: Y.ID) => Struct | undefined;

function depthOf(struct: Struct, depths: Map<Struct, number>, find: Find): number {
  const path = [struct];
  for (let at = path.at(-1); at !== undefined; at = path.at(-1)) {
    const known = depths.get(at);
    if (known === undefined) {
      depths.set(at, OPEN);
      for (const id of placeOf(at)) {
        const next = find(id);
        if (next !== undefined && !depths.has(next)) path.push(next);
      }
      continue;
    }
    if (known === OPEN) depths.set(at, depthIn(at, depths, find));
    path.pop();
  }
  return depths.get(struct)!;
}

/** What says where a struct stands: its neighbours, else the type that it names. */
function placeOf(struct: Struct): Y.ID[] {
  if (!(struct instanceof Y.Item)) return [];
  const neighbours = [struct.origin, struct.rightOrigin].filter((id) => id !== null);
  if (neighbours.length > 0) return neighbours;
  const parent: unknown = struct.parent;
  return parent instanceof Y.ID ? [parent] : [];
}

/** As Yjs decides (Item.getMissing), once all that `placeOf` names is known. */
function depthIn(struct: Struct, depths: ReadonlyMap<Struct, number>, find: Find): number {
  if (!(struct instanceof Y.Item)) return NOWHERE;
  const place = placeOf(struct);
  if (place.length === 0) return typeof struct.parent === 'string' ? 0 : NOWHERE;
  const around = place.map(find);
  const levels = around.map((each) => Math.max(NOWHERE, each === undefined ? NOWHERE : (depths.get(each) ?? NOWHERE)));
  if (levels.includes(NOWHERE)) return NOWHERE;
  if (struct.origin !== null || struct.rightOrigin !== null) return levels[0]!;
  return isType(around[0]) ? levels[0]! + 1 : NOWHERE;
}

const isType = (struct: Struct | undefined): boolean => struct instanceof Y.Item && struct.content instanceof Y.ContentType;

/** Finds by id what holds it. */
function finderOf(structs: readonly Struct[]): Find {
  const clients = new Map<number, Struct[]>();
  for (const struct of structs) {
    const own = clients.get(struct.id.client);
    if (own === undefined) clients.set(struct.id.client, [struct]);
    else own.push(struct);
  }
  return ({ client, clock }) => {
    const own = clients.get(client) ?? [];
    let [low, high] = [0, own.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { id, length } = own[middle]!;
      if (clock < id.clock) high = middle;
      else if (clock >= id.clock + length) low = middle + 1;
      else return own[middle];
    }
    return undefined;
  };
}
