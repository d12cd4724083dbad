import { Refusal } from './refusal.ts';

/** Levels of Y types in Y types that one update may add. Yjs deletes and reads them recursively: some thousands end the stack. */
const MAX_ADDED_LEVELS = 512;

/**
 * How many levels of Y types in Y types an update adds to whatever was there. What hangs on known content counts from there, so that the
 * depth of a document is at most what it was and this. An item stands where its parent says, or, having neighbours, where they do.
 */
export class TypeNesting {
  #types = 0;
  #levels = 0;
  #client = -1;
  /** Of the client whose structs are being read, flat: first clock of a run of items, and how many of the update's types they stand in. */
  #runs: number[] | null = null;
  /** Of the clients before it. */
  #earlier: Map<number, number[]> | null = null;

  /** Y types that the update brings. */
  get types(): number {
    return this.#types;
  }

  /** Levels that it adds: as few as that only where no item refers to what comes later in the update. */
  get levels(): number {
    return this.#levels;
  }

  /** Takes a new item; items come in the order of their clocks. -1 as client: none. @throws Refusal of rule 8 */
  add(
    clientId: number,
    clock: number,
    isType: boolean,
    originClient: number,
    originClock: number,
    rightClient: number,
    rightClock: number,
    parentClient: number,
    parentClock: number,
  ): void {
    // Before its first type nothing stands in a type of the update: typing pays nothing.
    if (!isType && this.#types === 0) return;
    this.#turnTo(clientId);
    // Yjs takes the left neighbour's parent, else the right one's; a hostile item may name two that differ.
    const level = Math.max(
      0,
      this.#levelOf(originClient, originClock),
      this.#levelOf(rightClient, rightClock),
      this.#levelOf(parentClient, parentClock) + 1,
    );
    this.#runs ??= [];
    if (this.#runs.length === 0 || this.#runs[this.#runs.length - 1] !== level) this.#runs.push(clock, level);
    if (!isType) return;
    this.#types += 1;
    this.#levels = Math.max(this.#levels, level + 1);
    if (this.#levels > MAX_ADDED_LEVELS) throw new Refusal(8, `types nested deeper than ${MAX_ADDED_LEVELS}`);
  }

  #turnTo(clientId: number): void {
    if (clientId === this.#client) return;
    if (this.#runs !== null) {
      this.#earlier ??= new Map();
      this.#earlier.set(this.#client, this.#runs);
    }
    this.#client = clientId;
    this.#runs = null;
  }

  /** How many of the update's types an item of the update stands in; -1: it is none, or came before the first. */
  #levelOf(clientId: number, clock: number): number {
    if (clientId < 0) return -1;
    const runs = clientId === this.#client ? this.#runs : this.#earlier?.get(clientId);
    if (runs === null || runs === undefined) return -1;
    let low = 0;
    let high = runs.length / 2;
    // The first run that begins above the clock.
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((runs[middle * 2] as number) > clock) high = middle;
      else low = middle + 1;
    }
    return low === 0 ? -1 : (runs[low * 2 - 1] as number);
  }
}
