import { ConflictMeter } from './conflict-meter.ts';
import type { PlaceMeter } from './place-meter.ts';
import { Refusal } from './refusal.ts';
import { CONTENT, scanContent } from './scan-content.ts';
import { MAX_CLOCK } from './state-vector.ts';
import { TypeNesting } from './type-nesting.ts';
import { WireReader } from './wire-reader.ts';

/** Bits of a struct's info byte besides its content ref. */
export const INFO = { content: 0x1f, parentSub: 0x20, rightOrigin: 0x40, origin: 0x80 } as const;

/** Structs of one client in an update. Offsets are into the update's bytes. */
export interface ScannedBlock {
  readonly clientId: number;
  /** First clock, and the one after the last. */
  readonly start: number;
  end: number;
  /** The client's next clock before this update. */
  readonly known: number;
  /** Where the first struct begins that is not wholly known, and how many there are from it on. */
  newAt: number;
  newStructs: number;
  /** Where the first new struct ends: needed to cut it when `known` lies inside it. */
  firstNewEndsAt: number;
  /** The first new struct's clock: below `known` where it must be cut. */
  firstNewClock: number;
  endsAt: number;
  /** References beyond what is known, flat: clock of the struct, client and clock it refers to. */
  readonly needs: number[];
  /** Values of keys that are longer than one clock, flat: first clock and end. Only deleted ones are. */
  readonly longValues: number[];
}

export interface ScannedUpdate {
  readonly blocks: readonly ScannedBlock[];
  readonly structs: number;
  /** Delete ranges, and where the delete set begins. */
  readonly deletes: number;
  readonly deletesAt: number;
  /** By how much the update may deepen the nesting of Y types, at most. */
  readonly levels: number;
  /** Builds on something that is neither known nor in the update. */
  readonly gap: boolean;
}

export interface ScanLimits {
  readonly known: ReadonlyMap<number, number>;
  readonly maxStructs: number;
  /** Most values in arrays, objects and JSON. Default: any number. */
  readonly maxValues?: number | undefined;
  readonly subdocuments: boolean;
  /** Takes the new items. */
  readonly places?: PlaceMeter | undefined;
}

/** How far a scan came, for whoever must charge for one that ended in a refusal. */
export interface ScanProgress {
  structs: number;
  /** In arrays, objects and JSON: what a struct may hold many of. */
  values: number;
}

/**
 * One pass over an update's bytes: rules 1 to 8, and what the other rules need to know.
 * @throws Refusal of the first broken rule
 */
export function scanUpdate(update: Uint8Array, limits: ScanLimits, progress: ScanProgress): ScannedUpdate {
  const reader = new WireReader(update, 0, limits.maxValues);
  try {
    return scanWhole(reader, limits, progress);
  } finally {
    progress.values = reader.values;
  }
}

function scanWhole(reader: WireReader, limits: ScanLimits, progress: ScanProgress): ScannedUpdate {
  const blocks: ScannedBlock[] = [];
  const clients = reader.uint();
  if (clients > reader.left) throw new Refusal(2, 'more clients than bytes');
  let gap = false;
  const nesting = new TypeNesting();
  let previous = Number.POSITIVE_INFINITY;
  for (let index = 0; index < clients; index++) {
    const count = reader.uint();
    if (count < 1) throw new Refusal(1, 'a client without structs');
    if (count > reader.left) throw new Refusal(2, 'more structs than bytes');
    if (progress.structs + count > limits.maxStructs) {
      throw new Refusal(2, `more than ${limits.maxStructs} structs`, 'too-large');
    }
    const clientId = reader.uint();
    if (clientId >= previous) throw new Refusal(1, 'clients not in descending order');
    previous = clientId;
    const block = openBlock(clientId, reader.uint(), limits.known.get(clientId) ?? 0, reader.pos);
    if (block.start > block.known) gap = true;
    if (scanStructs(reader, block, count, limits, nesting, progress)) gap = true;
    blocks.push(block);
  }
  const deletesAt = reader.pos;
  const ends = endsByClient(blocks, limits.known);
  const deletes = scanDeletes(reader, ends, blocks);
  if (reader.left > 0) throw new Refusal(8, 'something follows the delete set');
  gap ||= deletes.beyond || !blocks.every((block) => isGrounded(block, ends));
  const levels = nesting.types > nesting.levels && refersAhead(blocks) ? nesting.types : nesting.levels;
  return { blocks, structs: progress.structs, deletes: deletes.ranges, deletesAt, levels, gap };
}

/** Whether an item refers to one of a client that comes later in the update. */
function refersAhead(blocks: readonly ScannedBlock[]): boolean {
  if (blocks.length < 2) return false;
  const clients = new Set(blocks.map(({ clientId }) => clientId));
  return blocks.some(({ clientId, needs }) =>
    needs.some((target, index) => index % 3 === 1 && target < clientId && clients.has(target)),
  );
}

/** The next clock per client once the update is in. */
type Ends = (clientId: number) => number;

function endsByClient(blocks: readonly ScannedBlock[], known: ReadonlyMap<number, number>): Ends {
  const [only] = blocks;
  if (blocks.length < 2) {
    return (clientId) => {
      const next = known.get(clientId) ?? 0;
      return only !== undefined && only.clientId === clientId && only.end > next ? only.end : next;
    };
  }
  const ends = new Map(blocks.map((block) => [block.clientId, Math.max(block.end, block.known)]));
  return (clientId) => ends.get(clientId) ?? known.get(clientId) ?? 0;
}

function isGrounded(block: ScannedBlock, ends: Ends): boolean {
  const { needs } = block;
  for (let index = 0; index < needs.length; index += 3) {
    if ((needs[index + 2] as number) >= ends(needs[index + 1] as number)) return false;
  }
  return true;
}

function openBlock(clientId: number, start: number, known: number, at: number): ScannedBlock {
  return {
    clientId,
    start,
    end: start,
    known,
    newAt: at,
    newStructs: 0,
    firstNewEndsAt: at,
    firstNewClock: start,
    endsAt: at,
    needs: [],
    longValues: [],
  };
}

// Few structs cannot conflict much: a keystroke pays nothing for the meter.
const METERED_STRUCTS = 256;

/** @returns whether a Skip is among them */
function scanStructs(
  reader: WireReader,
  block: ScannedBlock,
  count: number,
  limits: ScanLimits,
  nesting: TypeNesting,
  progress: ScanProgress,
): boolean {
  const { clientId, known, needs } = block;
  const meter = count > METERED_STRUCTS ? new ConflictMeter(clientId, block.start) : null;
  const { places } = limits;
  let clock = block.start;
  let skips = false;
  for (let index = 0; index < count; index++) {
    const at = reader.pos;
    const info = reader.byte();
    const ref = info & INFO.content;
    let length: number;
    // -1: none.
    let originClient = -1;
    let originClock = -1;
    let rightClient = -1;
    let rightClock = -1;
    let parentClient = -1;
    let parentClock = -1;
    let parentAt = 0;
    let parentEndsAt = 0;
    if (info === CONTENT.gc || info === CONTENT.skip) {
      if (info === CONTENT.skip) skips = true;
      length = reader.uint();
    } else {
      if (ref === CONTENT.gc || ref > CONTENT.doc) throw new Refusal(4, `unknown struct info ${info}`);
      if ((info & INFO.origin) !== 0) {
        originClient = reader.uint();
        originClock = reader.uint();
        if (originClient === clientId && originClock >= clock) throw new Refusal(5, 'an origin that is not before its item');
      }
      if ((info & INFO.rightOrigin) !== 0) {
        rightClient = reader.uint();
        rightClock = reader.uint();
        if (rightClient === clientId && rightClock >= clock) throw new Refusal(5, 'a right origin that is not before its item');
        // Where that is inside of a run, whoever holds the run as one item finds another place than who holds it in pieces.
        if (rightClient === originClient && rightClock === originClock)
          throw new Refusal(5, 'an item between an item and itself');
      }
      if ((info & (INFO.origin | INFO.rightOrigin)) === 0) {
        parentAt = reader.pos;
        const named = reader.uint();
        if (named > 1) throw new Refusal(4, 'a parent that is neither a name nor an id');
        if (named === 1) {
          reader.key();
        } else {
          parentClient = reader.uint();
          parentClock = reader.uint();
          if (parentClient === clientId && parentClock >= clock) throw new Refusal(5, 'a parent that is not before its item');
        }
        if ((info & INFO.parentSub) !== 0) reader.key();
        parentEndsAt = reader.pos;
      }
      length = scanContent(reader, ref, limits.subdocuments);
      if ((info & INFO.parentSub) !== 0 && length > 1 && ref !== CONTENT.deleted) block.longValues.push(clock, clock + length);
    }
    if (length < 1) throw new Refusal(3, 'a struct without length');
    const end = clock + length;
    if (end > MAX_CLOCK) throw new Refusal(3, 'a clock above 2^32');
    if (end > known) {
      // What is known of it will be cut away, and with that its origin and parent; its right origin stays.
      const cut = clock < known;
      if (!cut && originClient >= 0) need(needs, limits.known, clientId, clock, originClient, originClock);
      if (rightClient >= 0) need(needs, limits.known, clientId, clock, rightClient, rightClock);
      if (!cut && parentClient >= 0) need(needs, limits.known, clientId, clock, parentClient, parentClock);
      if (block.newStructs === 0) {
        block.newAt = at;
        block.firstNewClock = clock;
        block.firstNewEndsAt = reader.pos;
      }
      block.newStructs++;
      if (info !== CONTENT.gc && info !== CONTENT.skip) {
        const isType = ref === CONTENT.type;
        if (cut) nesting.add(clientId, known, isType, -1, 0, rightClient, rightClock, -1, 0);
        else nesting.add(clientId, clock, isType, originClient, originClock, rightClient, rightClock, parentClient, parentClock);
      }
      if (meter !== null && !cut && ref !== CONTENT.gc && ref !== CONTENT.skip) {
        if (parentEndsAt > 0) meter.addAlone(clock, reader.bytes, parentAt, parentEndsAt);
        else meter.add(clock, originClient, originClock, rightClient, rightClock);
      }
      if (places !== undefined && !cut && info !== CONTENT.gc && info !== CONTENT.skip) {
        const fresh = parentClient === clientId && parentClock >= block.start;
        const alone = parentEndsAt === 0 ? 'no' : fresh ? 'fresh' : 'known';
        places.add(clientId, clock, end, originClient, originClock, rightClient, rightClock, alone);
      }
    }
    clock = end;
    progress.structs++;
  }
  block.end = clock;
  block.endsAt = reader.pos;
  return skips;
}

/** Notes a reference to another client's struct that is not known. */
function need(
  needs: number[],
  known: ReadonlyMap<number, number>,
  ownClient: number,
  ownClock: number,
  clientId: number,
  clock: number,
): void {
  if (clientId === ownClient) return;
  const next = known.get(clientId);
  if (next === undefined || clock >= next) needs.push(ownClock, clientId, clock);
}

function scanDeletes(reader: WireReader, ends: Ends, blocks: readonly ScannedBlock[]): { ranges: number; beyond: boolean } {
  const clients = reader.uint();
  if (clients > reader.left) throw new Refusal(2, 'more clients of deletes than bytes');
  const seen = clients > 1 ? new Set<number>() : null;
  const longValues = new Map(
    blocks.filter((block) => block.longValues.length > 0).map((block) => [block.clientId, block.longValues]),
  );
  let ranges = 0;
  let beyond = false;
  for (let index = 0; index < clients; index++) {
    const clientId = reader.uint();
    if (seen?.has(clientId)) throw new Refusal(7, 'deletes of a client twice');
    seen?.add(clientId);
    const count = reader.uint();
    if (count < 1) throw new Refusal(7, 'a client without delete ranges');
    if (count > reader.left) throw new Refusal(2, 'more delete ranges than bytes');
    const long = longValues.get(clientId);
    let deletedLong = 0;
    let free = 0;
    for (let range = 0; range < count; range++) {
      const clock = reader.uint();
      const length = reader.uint();
      if (length < 1) throw new Refusal(7, 'a delete range without length');
      if (clock < free) throw new Refusal(7, 'delete ranges that are not sorted or overlap');
      free = clock + length;
      if (free > MAX_CLOCK) throw new Refusal(3, 'a clock above 2^32');
      while (long !== undefined && clock <= (long[deletedLong] ?? -1) && (long[deletedLong + 1] as number) <= free)
        deletedLong += 2;
    }
    if (deletedLong === long?.length) longValues.delete(clientId);
    if (free > ends(clientId)) beyond = true;
    ranges += count;
  }
  // A key's value is one clock long. Longer ones are superseded values that Yjs joined; a living one that something cuts in two
  // stops every reader when its parent is deleted.
  if (longValues.size > 0) throw new Refusal(4, 'a living value of a key that is longer than one clock');
  return { ranges, beyond };
}
