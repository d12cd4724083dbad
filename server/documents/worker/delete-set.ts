import * as encoding from 'lib0/encoding';

/** `len` clocks from `clock` on, of one client. */
export interface DeleteRange {
  readonly clock: number;
  readonly len: number;
}

/** What is deleted: client id → ranges. Y.decodeUpdate's `ds.clients` is one, not necessarily in order. */
export type DeleteSet = ReadonlyMap<number, readonly DeleteRange[]>;

/** All that any of the sets deletes: ranges sorted, apart, and merged where they touch. */
export function unionDeletes(sets: Iterable<DeleteSet>): DeleteSet {
  const gathered = new Map<number, DeleteRange[]>();
  for (const set of sets) {
    for (const [client, ranges] of set) {
      const all = gathered.get(client);
      if (all === undefined) gathered.set(client, [...ranges]);
      else for (const range of ranges) all.push(range); // push(...ranges) overflows the stack on long lists
    }
  }
  const union = new Map<number, DeleteRange[]>();
  for (const [client, ranges] of gathered) {
    const merged = mergeRanges(ranges);
    if (merged.length > 0) union.set(client, merged);
  }
  return union;
}

/** What `set` deletes and `known` does not. */
export function subtractDeletes(set: DeleteSet, known: DeleteSet): DeleteSet {
  const rest = new Map<number, DeleteRange[]>();
  for (const [client, ranges] of unionDeletes([set])) {
    const left = subtractRanges(ranges, mergeRanges(known.get(client) ?? []));
    if (left.length > 0) rest.set(client, left);
  }
  return rest;
}

/** Whether two sets delete the same clock somewhere. */
export function deletesMeet(a: DeleteSet, b: DeleteSet): boolean {
  const [left, right] = [unionDeletes([a]), unionDeletes([b])];
  for (const [client, ranges] of left) {
    const others = right.get(client);
    if (others === undefined) continue;
    let at = 0;
    for (const range of ranges) {
      while (at < others.length && endOf(others[at]!) <= range.clock) at += 1;
      if (at < others.length && others[at]!.clock < endOf(range)) return true;
    }
  }
  return false;
}

/** Writes a set the way Yjs does: clients descending. Equal sets give equal bytes. */
export function writeDeleteSet(encoder: encoding.Encoder, set: DeleteSet): void {
  const clients = [...unionDeletes([set])].sort(([a], [b]) => b - a);
  encoding.writeVarUint(encoder, clients.length);
  for (const [client, ranges] of clients) {
    encoding.writeVarUint(encoder, client);
    encoding.writeVarUint(encoder, ranges.length);
    for (const { clock, len } of ranges) {
      encoding.writeVarUint(encoder, clock);
      encoding.writeVarUint(encoder, len);
    }
  }
}

const endOf = (range: DeleteRange): number => range.clock + range.len;

function mergeRanges(ranges: readonly DeleteRange[]): DeleteRange[] {
  const merged: { clock: number; len: number }[] = [];
  for (const { clock, len } of ranges.toSorted((a, b) => a.clock - b.clock)) {
    if (len < 1) continue;
    const last = merged.at(-1);
    if (last !== undefined && clock <= endOf(last)) last.len = Math.max(last.len, clock + len - last.clock);
    else merged.push({ clock, len });
  }
  return merged;
}

/** Both lists sorted and apart. */
function subtractRanges(ranges: readonly DeleteRange[], known: readonly DeleteRange[]): DeleteRange[] {
  const rest: DeleteRange[] = [];
  let at = 0;
  for (const range of ranges) {
    let clock = range.clock;
    const end = endOf(range);
    while (at < known.length && endOf(known[at]!) <= clock) at += 1;
    for (let next = at; next < known.length && known[next]!.clock < end; next += 1) {
      const cut = known[next]!;
      if (cut.clock > clock) rest.push({ clock, len: cut.clock - clock });
      clock = Math.max(clock, endOf(cut));
    }
    if (clock < end) rest.push({ clock, len: end - clock });
  }
  return rest;
}
