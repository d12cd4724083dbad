/** Where a client's latest item stands, as its bytes name the place: a first clock, the next one, and the right origin. -1 as client: none. */
export interface Place {
  readonly start: number;
  readonly end: number;
  readonly originless: boolean;
  readonly rightClient: number;
  readonly rightClock: number;
}

/**
 * Counts items whose place in their list the bytes do not vouch for. Yjs searches an item's place from its origin on, one step per item
 * until its right origin, and only the log knows how many lie between: a thousand such items may cost a million steps in every member's
 * browser (5,000 took 12 s), in one update or in a thousand. Editing makes one with each jump of the caret, and none while it types
 * on: what goes on where the client's item before ended, or is put right before it, costs no search.
 */
export class PlaceMeter {
  readonly #clientId: number;
  #last: Place | null;
  #unvouched = 0;

  /** @param last where the client's latest item before this update stands; null: not known */
  constructor(clientId: number, last: Place | null) {
    this.#clientId = clientId;
    this.#last = last;
  }

  get unvouched(): number {
    return this.#unvouched;
  }

  get last(): Place | null {
    return this.#last;
  }

  /** Takes a new item of the client. @param alone it names a parent and no neighbour; `fresh`: one that this update brings */
  add(
    start: number,
    end: number,
    originClient: number,
    originClock: number,
    rightClient: number,
    rightClock: number,
    alone: 'no' | 'known' | 'fresh',
  ): void {
    const last = this.#last;
    const originless = originClient < 0;
    const goesOn =
      last !== null &&
      originClient === this.#clientId &&
      originClock === start - 1 &&
      last.end === start &&
      last.rightClient === rightClient &&
      last.rightClock === rightClock;
    const isPutBefore =
      last?.originless === true &&
      originless &&
      rightClient === this.#clientId &&
      rightClock === last.start &&
      last.end === start;
    if (!goesOn && !isPutBefore && alone !== 'fresh') this.#unvouched += 1;
    this.#last = { start, end, originless, rightClient, rightClock };
  }
}
