import { AshlarError } from '../../shared/errors.ts';
import type { ResetReason } from './document-status.ts';

interface Saver {
  /** Resolved once the outbox has everything up to this ordinal on disk; null: counted again after a restore. */
  through: number | null;
  resolve(): void;
  reject(error: AshlarError): void;
}

/** Who waits for their edits to be on disk. */
export class Savers {
  #savers: Saver[] = [];

  /** @param through ordinal of the newest edit that counts; null: it will be known with `restored` */
  wait(through: number | null): Promise<void> {
    return new Promise((resolve, reject) => this.#savers.push({ through, resolve, reject }));
  }

  savedThrough(ordinal: number): void {
    for (const { resolve } of this.#take(({ through }) => through !== null && through <= ordinal)) resolve();
  }

  /** A reset took the edits out of the document, and they will come back. */
  uncount(): void {
    for (const saver of this.#savers) saver.through = null;
  }

  /** They came back: the newest of them has this ordinal. */
  recount(through: number): void {
    for (const saver of this.#savers) saver.through ??= through;
  }

  rejectUncounted(error: AshlarError): void {
    for (const { reject } of this.#take(({ through }) => through === null)) reject(error);
  }

  rejectAll(error: AshlarError): void {
    for (const { reject } of this.#take(() => true)) reject(error);
  }

  #take(which: (saver: Saver) => boolean): Saver[] {
    // Asked at each edit, and mostly nobody waits.
    if (this.#savers.length === 0) return [];
    const taken = this.#savers.filter(which);
    this.#savers = this.#savers.filter((saver) => !taken.includes(saver));
    return taken;
  }
}

/** Why edits will not be saved: they do not fit into what the server has. */
export function notRestoredError(): AshlarError {
  return new AshlarError('invalid-update', { detail: 'see the unsaved bytes' });
}

/** Why edits will not be saved: the document was given up. */
export function stoppedError(reason: ResetReason): AshlarError {
  return AshlarError.fromWire({ code: reason, detail: 'the document was reset: see the unsaved bytes' });
}
