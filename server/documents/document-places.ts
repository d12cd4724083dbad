import { MAX_UNPROVEN, MAX_UNVOUCHED } from './compaction-due.ts';

/**
 * Items of a document whose places in their lists the bytes do not vouch for (see PlaceMeter). A thread vouches for them when it applies the log
 * as members have it, in time. Whole checks also load the merged bytes, where the search for a place may take longer: they prove them. Kept
 * as sums that only grow, because several threads may look at once and end in any order: each says something true.
 */
export class DocumentPlaces {
  #added = 0;
  #vouched = 0;
  #proven = 0;
  #cannotVouch = false;

  /** All that were ever added: says what a thread saw that began now. */
  get added(): number {
    return this.#added;
  }

  /** Items that nobody has vouched for. */
  get unvouched(): number {
    return this.#added - this.#vouched;
  }

  /** Whether threads should look at them before more come. */
  get due(): boolean {
    return this.unvouched >= MAX_UNVOUCHED / 2;
  }

  /** Whether only a whole check helps: vouching failed, or went on for too long without one. */
  get needProof(): boolean {
    return this.#cannotVouch || this.#added - this.#proven > MAX_UNPROVEN;
  }

  /** Whether a snapshot should come soon, because it proves them. */
  get proofDue(): boolean {
    return this.#cannotVouch ? this.due : this.#added - this.#proven >= MAX_UNPROVEN / 2;
  }

  add(items: number): void {
    this.#added += items;
  }

  /** A thread applied the log as members have it, in time. @param addedThen `added` before it was read */
  vouchedFor(addedThen: number): void {
    this.#vouched = Math.max(this.#vouched, addedThen);
  }

  /** A thread checked the log whole, in time. @param addedThen `added` before it was read */
  provenFor(addedThen: number): void {
    this.vouchedFor(addedThen);
    this.#proven = Math.max(this.#proven, addedThen);
  }

  /** The log as it stands cannot be vouched for without a whole check. */
  cannotVouch(): void {
    this.#cannotVouch = true;
  }

  /** There is a new snapshot: what could not be vouched for may be now. */
  compacted(): void {
    this.#cannotVouch = false;
  }

  /** Nothing is in the document any more. */
  clear(): void {
    this.provenFor(this.#added);
    this.#cannotVouch = false;
  }
}
