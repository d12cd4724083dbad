/** Where a session's latest item stands, as its bytes name the place: its id, the next clock, and the right origin. -1 as client: none. */
export interface Place {
  readonly clientId: number;
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
 * on: what goes on where the item before ended, or is put right before it, costs no search. That holds under whatever id an item comes:
 * a user may bring what earlier sessions left under theirs.
 */
export class PlaceMeter {
  #last: Place | null;
  #unvouched = 0;

  /** @param last where the session's latest item before this update stands; null: not known */
  constructor(last: Place | null) {
    this.#last = last;
  }

  get unvouched(): number {
    return this.#unvouched;
  }

  get last(): Place | null {
    return this.#last;
  }

  /** Takes a new item. @param alone it names a parent and no neighbour; `fresh`: one that this update brings */
  add(
    clientId: number,
    start: number,
    end: number,
    originClient: number,
    originClock: number,
    rightClient: number,
    rightClock: number,
    alone: 'no' | 'known' | 'fresh',
  ): void {
    const last = this.#last?.clientId === clientId ? this.#last : null;
    const originless = originClient < 0;
    const goesOn =
      last !== null &&
      originClient === clientId &&
      originClock === start - 1 &&
      last.end === start &&
      last.rightClient === rightClient &&
      last.rightClock === rightClock;
    const isPutBefore =
      last?.originless === true && originless && rightClient === clientId && rightClock === last.start && last.end === start;
    if (!goesOn && !isPutBefore && alone !== 'fresh') this.#unvouched += 1;
    this.#last = { clientId, start, end, originless, rightClient, rightClock };
  }
}
