import type { DocumentRoom } from './document-room.ts';
import { vouch } from './vouch.ts';
import { limitReached } from './worker/document-workers.ts';

/** Has a document vouched for while people write to it, one time after the other, so that an update is seldom tried while its writer waits. */
export class BackgroundVouching {
  #running: Promise<void> | null = null;

  /** Begins where it is due and not under way. */
  ask(document: DocumentRoom): void {
    if (this.#running !== null || !isDue(document)) return;
    document.working += 1;
    this.#running = run(document).finally(() => {
      this.#running = null;
      document.working -= 1;
    });
  }

  /** Resolves when none is under way. */
  async settled(): Promise<void> {
    await this.#running;
  }
}

async function run(document: DocumentRoom): Promise<void> {
  try {
    while (isDue(document)) {
      const { vouched, failure } = await vouch(document, null);
      // What is wrong by itself is looked into at once, not when there are records enough.
      if (failure !== null && limitReached(failure) === null) document.ports.compact(document);
      if (!vouched) return;
    }
  } catch {
    // The log cannot be read, or no thread works: whoever waits for that is told, and a compaction finds the same.
    document.places.cannotVouch();
  }
}

function isDue({ places, room, blocked }: DocumentRoom): boolean {
  return places.due && !places.needProof && !blocked && !room.deleted && !room.fenced;
}
