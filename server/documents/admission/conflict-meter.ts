import { Refusal } from './refusal.ts';

// Placeholder until measured on the corpora.
const MAX_CONTRADICTIONS = 64;

export const stats = { max: 0, last: 0 };

/**
 * Counts items that no editor could have placed. Yjs searches an item's place between its origin and its right origin, one
 * step per item that lies there: n items with wide gaps cost n², in every member's browser (98 kB took 73 s). An editor's gaps
 * are empty: origin and right origin were neighbours when it wrote, so among one client's own items each new gap must be
 * one that its earlier items left. What lies between can only be others' concurrent work, which this meter cannot see and
 * gives the benefit of the doubt.
 */
export class ConflictMeter {
  readonly #clientId: number;
  /** First clock of the client's structs in this update: what lies before it was not seen. */
  readonly #start: number;
  /** Start of the latest item with this origin; end of the latest with this right origin. */
  readonly #byOrigin = new Map<number, number>();
  readonly #byRight = new Map<number, number>();
  /** Items that were first in their list when they came, by first clock; last ones by last clock. */
  readonly #first = new Set<number>();
  readonly #last = new Set<number>();
  /** Lists (by hash) that this client began. */
  readonly #begun = new Set<number>();
  /** Small numbers for other clients, so that an id is one number. */
  readonly #others = new Map<number, number>();
  #contradictions = 0;

  constructor(clientId: number, start: number) {
    this.#clientId = clientId;
    this.#start = start;
  }

  /** Takes an item in the order of its clocks; -1 as client means none. `parentAt` to `parentEndsAt`: its parent's bytes, where it names one. */
  add(
    clock: number,
    end: number,
    originClient: number,
    originClock: number,
    rightClient: number,
    rightClock: number,
    bytes: Uint8Array,
    parentAt: number,
    parentEndsAt: number,
  ): void {
    const own = this.#clientId;
    const last = end - 1;
    if (originClient < 0 && rightClient < 0) {
      this.#first.add(clock);
      this.#last.add(last);
      const list = hash(bytes, parentAt, parentEndsAt);
      if (this.#begun.has(list)) this.#contradict();
      this.#begun.add(list);
      return;
    }
    let fits = true;
    if (originClient < 0) {
      this.#first.add(clock);
      if (rightClient === own && rightClock >= this.#start) fits = this.#first.has(rightClock);
    } else {
      const key = this.#key(originClient, originClock);
      const neighbour = this.#byOrigin.get(key);
      if (neighbour !== undefined && rightClient !== own) fits = rightClient >= 0;
      else if (neighbour !== undefined) fits = rightClock === neighbour;
      this.#byOrigin.set(key, clock);
    }
    if (rightClient < 0) {
      this.#last.add(last);
      if (originClient === own && originClock >= this.#start) fits &&= this.#last.has(originClock);
    } else {
      const key = this.#key(rightClient, rightClock);
      const neighbour = this.#byRight.get(key);
      if (neighbour !== undefined && originClient !== own) fits &&= originClient >= 0;
      else if (neighbour !== undefined) fits &&= originClock === neighbour;
      this.#byRight.set(key, last);
    }
    if (!fits) this.#contradict();
  }

  #contradict(): void {
    stats.last = ++this.#contradictions;
    stats.max = Math.max(stats.max, this.#contradictions);
    if (this.#contradictions > MAX_CONTRADICTIONS) throw new Refusal(10, 'more conflicting inserts than editing makes');
  }

  #key(clientId: number, clock: number): number {
    if (clientId === this.#clientId) return clock;
    let number = this.#others.get(clientId);
    if (number === undefined) {
      number = this.#others.size + 1;
      this.#others.set(clientId, number);
    }
    return number * 2 ** 33 + clock;
  }
}

/** FNV-1a: a collision costs one count of many. */
function hash(bytes: Uint8Array, start: number, end: number): number {
  let value = 0x811c9dc5;
  for (let pos = start; pos < end; pos++) value = Math.imul(value ^ (bytes[pos] as number), 0x01000193);
  return value;
}
