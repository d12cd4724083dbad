import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Position } from '../../shared/position.ts';
import type { RoomName } from '../../shared/room-name.ts';

const SEPARATOR = '.';
/** Of base64url: 128 bits. An epoch of a join has at most 64 characters in all. */
const SEAL_LENGTH = 22;

/** The log that a position is of. */
export interface SealedLog {
  readonly name: RoomName;
  readonly incarnation: string;
}

/**
 * Seals the positions that clients of a document are given: what a client later shows of a log that went back proves that the log was there once.
 * An unsealed claim would let any writer say so. The seal stands in the epoch, which clients keep and show as it is.
 */
export class PositionSeal {
  readonly #key: Uint8Array;
  /** One commit is told to many: to each writer in a frame of its own. */
  #last: { readonly text: string; readonly sealed: string } | null = null;

  /** @param key the store's `positionKey` */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** The epoch as clients get it. The place before the first record proves nothing, and has no seal. */
  seal(log: SealedLog, { epoch, seq }: Position): string {
    if (seq === 0) return epoch;
    const text = textOf(log, epoch, seq);
    if (this.#last?.text !== text) this.#last = { text, sealed: epoch + SEPARATOR + this.#sign(text) };
    return this.#last.sealed;
  }

  /**
   * Reads a position that a client shows.
   * @returns the position with the records' epoch, and whether this log, or one that went back to this one, gave it out
   */
  open(log: SealedLog, { epoch: shown, seq }: Position): { position: Position; isGenuine: boolean } {
    const end = shown.lastIndexOf(SEPARATOR);
    if (end === -1) return { position: { epoch: shown, seq }, isGenuine: false };
    const epoch = shown.slice(0, end);
    const seal = Buffer.from(shown.slice(end + 1));
    const expected = Buffer.from(this.#sign(textOf(log, epoch, seq)));
    return { position: { epoch, seq }, isGenuine: seal.length === expected.length && timingSafeEqual(seal, expected) };
  }

  #sign(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url').slice(0, SEAL_LENGTH);
  }
}

// Room names and incarnations have no line ends.
function textOf({ name, incarnation }: SealedLog, epoch: string, seq: number): string {
  return `${name}\n${incarnation}\n${epoch}\n${seq}`;
}
