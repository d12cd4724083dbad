import { Refusal } from './refusal.ts';

// None was found in honest updates: two traces and random sessions of 3,000 steps with undo, each as one merged update.
const MAX_CONTRADICTIONS = 100;

/**
 * Counts items that no editor could have placed. Yjs searches an item's place from its origin on, one step per item until
 * its right origin: n items with the same origin and right origins ever farther away cost n², in every member's browser (98 kB took 73 s).
 * An editor's gaps are empty: origin and right origin were neighbours when it wrote. So whatever a client puts behind the same origin
 * again stands before what it put there last, and a list that it began has a beginning. Others' concurrent work may lie between, and
 * what the log already holds is not seen here; both get the benefit of the doubt, and the compaction worker has the last word.
 */
export class ConflictMeter {
  readonly #clientId: number;
  /** First clock of the client's structs in this update: what lies before it is not seen. */
  readonly #start: number;
  /** First clock of the latest item behind an origin. */
  readonly #behind = new Map<number, number>();
  /** First clocks of items that were first in their list when they came. */
  readonly #first = new Set<number>();
  /** Lists (by hash) that this client began. */
  readonly #begun = new Set<number>();
  /** Small numbers for other clients, so that an id is one number. */
  readonly #others = new Map<number, number>();
  #contradictions = 0;

  constructor(clientId: number, start: number) {
    this.#clientId = clientId;
    this.#start = start;
  }

  /** Takes an item without neighbours, by the bytes that name its parent. Items come in the order of their clocks. */
  addAlone(clock: number, bytes: Uint8Array, parentAt: number, parentEndsAt: number): void {
    this.#first.add(clock);
    const list = hash(bytes, parentAt, parentEndsAt);
    // What this client put there first is a neighbour ever after, even when deleted.
    if (this.#begun.has(list)) this.#contradict();
    this.#begun.add(list);
  }

  /** Takes an item that has an origin, a right origin or both; -1 as client: none. */
  add(clock: number, originClient: number, originClock: number, rightClient: number, rightClock: number): void {
    const rightIsOwn = rightClient === this.#clientId;
    if (originClient < 0) {
      this.#first.add(clock);
      if (rightIsOwn && rightClock >= this.#start && !this.#first.has(rightClock)) this.#contradict();
      return;
    }
    const origin = this.#key(originClient, originClock);
    const neighbour = this.#behind.get(origin);
    if (neighbour !== undefined && (rightClient < 0 || (rightIsOwn && rightClock !== neighbour))) this.#contradict();
    this.#behind.set(origin, clock);
  }

  #contradict(): void {
    if (++this.#contradictions > MAX_CONTRADICTIONS) throw new Refusal(10, 'more conflicting inserts than editing makes');
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
