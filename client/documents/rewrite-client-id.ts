import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';
import { AshlarError } from '../../shared/errors.ts';

export interface Rewrite {
  /** The client id that was refused. */
  from: number;
  /** The one to write under instead. */
  to: number;
  /** The next clock of `to`: 0 where nothing was written under it yet. */
  clock: number;
}

/** Where a run of structs of the old id comes to lie under the new one. */
interface Run {
  readonly start: number;
  readonly end: number;
  readonly shift: number;
}

/**
 * Moves the structs of one client id in a Yjs update (V1) to another id: their ids, what refers to them (origins, parents) and
 * what deletes them. Their clocks become contiguous from `clock` on. What refers to structs of the old id that are not in this
 * update (they are saved) stays as it is.
 * @throws AshlarError `invalid-update` where the update already holds structs of the new id
 */
export function rewriteClientId(update: Uint8Array, { from, to, clock }: Rewrite): Uint8Array {
  const { structs, ds } = Y.decodeUpdate(update);
  if (structs.some((struct) => struct.id.client === to)) {
    throw new AshlarError('invalid-update', { detail: 'the new client id is in use in this update' });
  }
  const runs = runsOf(structs, from, clock);
  const move = (id: Y.ID): Y.ID => {
    const run = id.client === from ? runs.find(({ start, end }) => start <= id.clock && id.clock < end) : undefined;
    return run === undefined ? id : Y.createID(to, id.clock + run.shift);
  };
  const byClient = new Map<number, Struct[]>();
  for (const struct of structs) {
    const moved = moveStruct(struct, from, move);
    if (moved === null) continue;
    const list = byClient.get(moved.id.client) ?? [];
    list.push(moved);
    byClient.set(moved.id.client, list);
  }
  const encoder = new Y.UpdateEncoderV1();
  writeStructs(encoder, byClient);
  writeDeletions(encoder.restEncoder, moveDeletions(ds, from, to, runs));
  return encoder.toUint8Array();
}

type Struct = ReturnType<typeof Y.decodeUpdate>['structs'][number];

function runsOf(structs: readonly Struct[], from: number, clock: number): Run[] {
  const runs: Run[] = [];
  let next = clock;
  for (const struct of structs) {
    if (struct.id.client !== from || struct instanceof Y.Skip) continue;
    const start = struct.id.clock;
    const last = runs.at(-1);
    if (last?.end === start) runs[runs.length - 1] = { ...last, end: start + struct.length };
    else runs.push({ start, end: start + struct.length, shift: next - start });
    next += struct.length;
  }
  return runs;
}

// A gap between runs of the old id vanishes with the contiguous clocks; one of another id stays a gap.
function moveStruct(struct: Struct, from: number, move: (id: Y.ID) => Y.ID): Struct | null {
  if (struct instanceof Y.Skip) return struct.id.client === from ? null : struct;
  if (struct instanceof Y.GC) return new Y.GC(move(struct.id), struct.length);
  const item = struct as Y.Item;
  // What a decoded item names as its parent: a root type's name, an item's id, or nothing (its neighbours say).
  const parent: unknown = item.parent;
  return new Y.Item(
    move(item.id),
    null,
    item.origin === null ? null : move(item.origin),
    null,
    item.rightOrigin === null ? null : move(item.rightOrigin),
    (parent instanceof Y.ID ? move(parent) : parent) as Y.ID,
    item.parentSub,
    item.content,
  );
}

function writeStructs(encoder: Y.UpdateEncoderV1, byClient: ReadonlyMap<number, readonly Struct[]>): void {
  const rest = encoder.restEncoder;
  encoding.writeVarUint(rest, byClient.size);
  // Highest client first, as Yjs writes them and the server demands.
  for (const [client, structs] of [...byClient].sort(([left], [right]) => right - left)) {
    encoding.writeVarUint(rest, structs.length);
    encoder.writeClient(client);
    encoding.writeVarUint(rest, structs[0]!.id.clock);
    for (const struct of structs) struct.write(encoder, 0);
  }
}

type Ranges = Map<number, { clock: number; len: number }[]>;

function moveDeletions(ds: ReturnType<typeof Y.decodeUpdate>['ds'], from: number, to: number, runs: readonly Run[]): Ranges {
  const moved: Ranges = new Map();
  const add = (client: number, clock: number, len: number): void => {
    const list = moved.get(client) ?? [];
    list.push({ clock, len });
    moved.set(client, list);
  };
  for (const [client, ranges] of ds.clients) {
    for (const { clock, len } of ranges) {
      if (client !== from) {
        add(client, clock, len);
        continue;
      }
      // One range may cover saved structs and moved ones.
      let at = clock;
      for (const run of runs.filter(({ start, end }) => start < clock + len && end > clock)) {
        if (run.start > at) add(from, at, run.start - at);
        const start = Math.max(run.start, at);
        const end = Math.min(run.end, clock + len);
        add(to, start + run.shift, end - start);
        at = end;
      }
      if (at < clock + len) add(from, at, clock + len - at);
    }
  }
  return moved;
}

function writeDeletions(rest: encoding.Encoder, deletions: Ranges): void {
  encoding.writeVarUint(rest, deletions.size);
  for (const [client, ranges] of [...deletions].sort(([left], [right]) => right - left)) {
    ranges.sort((left, right) => left.clock - right.clock);
    encoding.writeVarUint(rest, client);
    encoding.writeVarUint(rest, ranges.length);
    for (const { clock, len } of ranges) {
      encoding.writeVarUint(rest, clock);
      encoding.writeVarUint(rest, len);
    }
  }
}
