import { cutKnown } from './cut-known.ts';
import { hasCircle } from './find-circle.ts';
import type { PlaceMeter } from './place-meter.ts';
import { Refusal, type RefusalCode } from './refusal.ts';
import { type ScannedUpdate, type ScanProgress, scanUpdate } from './scan-update.ts';
import { WireReader } from './wire-reader.ts';

/** What admission must know of the room and the sender. */
export interface AdmissionContext {
  /** Next clock per Yjs client id: committed + queued. */
  readonly known: ReadonlyMap<number, number>;
  /**
   * Whose a client id is, seen from the sender. `restorable`: anyone who may write may bring this id's missing structs back
   * (after the log went back), in a full step and in no other form.
   */
  ownerOf(clientId: number): 'self' | 'other' | 'unclaimed' | 'restorable';
  /** A full step: everything that the server's state vector has not, with all deletions. */
  readonly full: boolean;
  /** Most structs in one update. */
  readonly maxStructs: number;
  /** Most values in arrays, objects and JSON in one update. Default: any number. */
  readonly maxValues?: number | undefined;
  /** Whether an update may hold Yjs subdocuments. */
  readonly subdocuments: boolean;
  /** Takes the items that are new. */
  readonly places?: PlaceMeter | undefined;
  /** Told how much was read, also of what is refused: for whoever charges for it. */
  readonly progress?: ScanProgress;
}

/**
 * What becomes of an update. `structs` is how many were read (a refused one: until then), `deletes` how many delete ranges.
 * - `admitted`: `update` is what to store and send: bytes of their own, without what is known; `clocks` are the new next clocks.
 * - `nothing`: nothing in it is new. A full step's delete ranges alone are *admitted*: the caller compares them with the snapshot's.
 * - `gap`: it builds on something that is not known. Ask for a full step.
 * - `refused`: it will not be taken, whatever comes before it. `rule` is the broken rule of DESIGN's Admission.
 */
export type Admission =
  | {
      readonly verdict: 'admitted';
      readonly update: Uint8Array;
      readonly clocks: readonly { readonly clientId: number; readonly clock: number }[];
      readonly structs: number;
      readonly deletes: number;
      /** By how much it may deepen the nesting of Y types in the document, at most. */
      readonly levels: number;
    }
  | { readonly verdict: 'nothing'; readonly structs: number; readonly deletes: number }
  | { readonly verdict: 'gap'; readonly structs: number }
  | {
      readonly verdict: 'refused';
      readonly code: RefusalCode;
      readonly rule: number;
      readonly detail: string;
      readonly structs: number;
    };

/**
 * Decides whether a Yjs update (V1) may enter a document's log: rules 1 to 9 of Admission. Pure, one pass over the bytes,
 * about 2 µs for a keystroke. Allocates nothing by a length from the wire. A broken rule wins over a gap, a gap over a foreign client id:
 * whose structs are can only be said of structs that have a place in the log.
 */
export function admitUpdate(update: Uint8Array, context: AdmissionContext): Admission {
  const progress = context.progress ?? { structs: 0, values: 0 };
  try {
    return decide(update, context, scanUpdate(update, context, progress));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { code, rule, detail } = error;
    return { verdict: 'refused', code, rule, detail, structs: progress.structs };
  }
}

function decide(update: Uint8Array, context: AdmissionContext, scanned: ScannedUpdate): Admission {
  const { blocks, structs, deletes } = scanned;
  if (scanned.gap) return { verdict: 'gap', structs };
  const clocks: { clientId: number; clock: number }[] = [];
  for (const { clientId, newStructs, end } of blocks) {
    if (newStructs === 0) continue;
    const owner = context.ownerOf(clientId);
    if (owner !== 'self' && !(owner === 'restorable' && context.full)) {
      throw new Refusal(9, `client id ${clientId} is not the sender's`, 'foreign-client-id');
    }
    clocks.push({ clientId, clock: end });
  }
  if (clocks.length === 0 && deletes === 0) return { verdict: 'nothing', structs, deletes };
  if (hasCircle(blocks)) throw new Refusal(5, 'structs that wait for each other');
  return { verdict: 'admitted', update: cutKnown(update, scanned), clocks, structs, deletes, levels: scanned.levels };
}

/** By how much an update that was admitted may deepen the nesting of Y types in its document, at most. */
export function countLevels(update: Uint8Array): number {
  const limits = { known: new Map<number, number>(), maxStructs: update.length, subdocuments: true };
  return scanUpdate(update, limits, { structs: 0, values: 0 }).levels;
}

/**
 * How many structs an update claims: what the limiter charges before anything else is done with it. Never throws; never more than
 * the update has bytes, so that a lie costs its sender what it could have been.
 */
export function countStructs(update: Uint8Array): number {
  const progress = { structs: 0, values: 0 };
  try {
    const reader = new WireReader(update);
    const clients = reader.uint();
    if (clients === 0) return 0;
    if (clients === 1) return Math.min(reader.uint(), update.length);
    // The second client's count stands behind the first one's structs: only a pass over them finds it.
    return scanUpdate(update, { known: new Map(), maxStructs: update.length, subdocuments: true }, progress).structs;
  } catch {
    return progress.structs;
  }
}
