import type * as Y from 'yjs';
import { importLater } from '../import-later.ts';
import type { Report } from '../report.ts';
import type { Unsaved } from './unsaved.ts';

/** Unsaved edits between the document that a reset gave up and the fresh one. */
export class Restoration {
  #waiting: Unsaved[] = [];
  /** Local transactions that could not be put back: they are not saved, until the user has the bytes or gives them up. */
  #failed = 0;
  /** The code that restores is on its way. */
  #loading = false;
  /** The document's unsaved bytes, where they are these edits and no others. */
  bytes: Uint8Array | null = null;

  /** Whether some are to be put back. */
  get isDue(): boolean {
    return this.#waiting.length > 0;
  }

  get hasFailed(): boolean {
    return this.#failed > 0;
  }

  /** Local transactions that are neither in the document nor on disk. */
  get edits(): number {
    return this.#waiting.reduce((sum, { edits }) => sum + edits, this.#failed);
  }

  /** Another reset may come before the edits of an earlier one came back: all of them are to be put back. */
  begin(unsaved: Unsaved): void {
    this.#waiting.push(unsaved);
  }

  /** Edits that nobody will put back. */
  fail(edits: number): void {
    this.#failed += edits;
  }

  drop(): void {
    this.#waiting = [];
    this.#failed = 0;
  }

  /**
   * Puts the edits back. Rare, and large: a page loads the code when it is needed.
   * @param target the fresh document, asked for once the code is there; null: not now, and they go on waiting
   * @returns those that were put back, and those that do not fit
   */
  async run(target: () => Y.Doc | null, report: Report): Promise<{ restored: Unsaved[]; failed: Unsaved[] }> {
    const done = { restored: [] as Unsaved[], failed: [] as Unsaved[] };
    if (this.#loading) return done;
    this.#loading = true;
    const load = await importLater(() => import('./restore.ts')).catch((error: unknown) =>
      report(error, 'loading of ashlar/client'),
    );
    this.#loading = false;
    const doc = load === undefined ? null : target();
    if (load === undefined || doc === null) return done;
    for (const unsaved of this.#waiting.splice(0)) {
      const fits = load.restoreUnsaved(doc, unsaved);
      (fits ? done.restored : done.failed).push(unsaved);
      if (!fits) this.fail(unsaved.edits);
    }
    return done;
  }
}
