import { invariant } from '../../shared/errors.ts';
import { joinUpdates } from './join-updates.ts';
import { mergeInTree } from './merge-updates.ts';

/** An update with its counter: its bytes never change from here on, so that a resend is the same update. */
export interface Numbered {
  readonly counter: number;
  readonly update: Uint8Array;
  /** A full step: see docs/protocol.md. */
  readonly full: boolean;
  /** Local transactions in it. */
  readonly edits: number;
}

interface Waiting {
  readonly update: Uint8Array;
  readonly edits: number;
  /** How often it was merged: equals are merged with equals, so that a long wait stays cheap. */
  readonly level: number;
}

const GROUP = 256;
const LARGEST_GROUP_BYTES = 256_000;

/**
 * A session's edits that are not on disk yet, in order: first those with a counter, then those that wait for one. All counts
 * follow from what it holds; nothing drifts.
 */
export class Outbox {
  #numbered: Numbered[] = [];
  #waiting: Waiting[] = [];
  #counter = 0;
  #added = 0;

  /** Local transactions ever taken: the ordinal of the newest. */
  get added(): number {
    return this.#added;
  }

  /** Local transactions that are not on disk. */
  get unsaved(): number {
    let edits = 0;
    for (const entry of this.#numbered) edits += entry.edits;
    for (const entry of this.#waiting) edits += entry.edits;
    return edits;
  }

  /** Every local transaction up to this ordinal is on disk. */
  get savedThrough(): number {
    return this.#added - this.unsaved;
  }

  get isEmpty(): boolean {
    return this.#numbered.length === 0 && this.#waiting.length === 0;
  }

  /** The highest counter given. */
  get lastCounter(): number {
    return this.#counter;
  }

  /** Updates with a counter, in its order. */
  get numbered(): readonly Numbered[] {
    return this.#numbered;
  }

  /** Takes the update of one local transaction. */
  add(update: Uint8Array): void {
    this.#added++;
    this.#waiting.push({ update, edits: 1, level: 0 });
    for (let level = 0; this.#waiting.at(-GROUP)?.level === level; level++) {
      const group = this.#waiting.slice(-GROUP);
      if (bytesOf(group) > LARGEST_GROUP_BYTES) return;
      this.#waiting.splice(-GROUP, GROUP, { ...mergeWaiting(group), level: level + 1 });
    }
  }

  /**
   * Merges what waits, at most about `maxBytes` of it, and gives it the next counter.
   * @returns undefined where nothing waits
   */
  number(maxBytes: number): Numbered | undefined {
    let count = 0;
    for (let bytes = 0; count < this.#waiting.length; count++) {
      bytes += this.#waiting[count]!.update.length;
      if (count > 0 && bytes > maxBytes) break;
    }
    if (count === 0) return undefined;
    const { update, edits } = mergeWaiting(this.#waiting.splice(0, count));
    return this.#append(update, edits, false);
  }

  at(counter: number): Numbered | undefined {
    const first = this.#numbered[0];
    return first === undefined ? undefined : this.#numbered[counter - first.counter];
  }

  /** All up to `counter` are on disk. */
  acknowledge(counter: number): void {
    const kept = this.#numbered.findIndex((entry) => entry.counter > counter);
    this.#numbered = kept === -1 ? [] : this.#numbered.slice(kept);
    this.#counter = Math.max(this.#counter, counter);
  }

  /** The server counts from `saved` on: where that differs (it lost or forgot what it had), ours follow, bytes and order unchanged. */
  countFrom(saved: number): void {
    this.#numbered = this.#numbered.map((entry, index) => ({ ...entry, counter: saved + 1 + index }));
    this.#counter = saved + this.#numbered.length;
  }

  /**
   * Puts a full step in the place of all that waits, and of what is numbered from `counter` on.
   * @param update null: the server has it all
   */
  replace(counter: number, update: Uint8Array | null): void {
    invariant(counter <= this.#counter + 1, 'a counter follows the last one', { counter, last: this.#counter });
    const before = this.unsaved;
    this.#numbered = this.#numbered.filter((entry) => entry.counter < counter);
    this.#waiting = [];
    this.#counter = counter - 1;
    if (update === null) return;
    let edits = before - this.unsaved;
    if (edits === 0) {
      // Content from before the session: one more edit to save.
      this.#added++;
      edits = 1;
    }
    this.#append(update, edits, true);
  }

  /** All of it as one update; null where there is nothing. */
  merged(): Uint8Array | null {
    if (this.isEmpty) return null;
    return mergeInTree([...this.#numbered, ...this.#waiting].map((entry) => entry.update));
  }

  #append(update: Uint8Array, edits: number, full: boolean): Numbered {
    const entry = { counter: ++this.#counter, update, full, edits };
    this.#numbered.push(entry);
    return entry;
  }
}

function mergeWaiting(entries: readonly Waiting[]): { update: Uint8Array; edits: number } {
  return {
    update: entries.length === 1 ? entries[0]!.update : joinUpdates(entries.map(({ update }) => update)),
    edits: entries.reduce((sum, entry) => sum + entry.edits, 0),
  };
}

function bytesOf(entries: readonly Waiting[]): number {
  return entries.reduce((sum, entry) => sum + entry.update.length, 0);
}
