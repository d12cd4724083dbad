import type { Client, DocumentHandle } from 'ashlar/client';

/** How each document of the workspace is opened: what was read here once is there without a network, and edits survive a reload. */
export const KEPT = { offline: true } as const;

interface Held {
  readonly handle: DocumentHandle;
  readonly stop: () => void;
}

/**
 * The workspace's documents, on screen or not: each is held open, out of its room. So a page opens without a network at once, what an
 * earlier visit could not send is sent without opening its page, and all that is unsaved can be named. A product with thousands of
 * pages would hold the newest.
 */
export class KeptDocuments {
  readonly #client: Pick<Client, 'document'>;
  readonly #held = new Map<string, Held>();

  constructor(client: Pick<Client, 'document'>) {
    this.#client = client;
  }

  /** Holds these too. */
  hold(names: readonly string[]): void {
    for (const name of names) if (!this.#held.has(name)) this.#held.set(name, this.#open(name));
  }

  /** The names of documents with edits that are not on the server. */
  unsaved(): readonly string[] {
    return [...this.#held].flatMap(([name, { handle }]) =>
      handle.unsavedChanges.get() > 0 || handle.unsaved !== null ? [name] : [],
    );
  }

  release(): void {
    for (const { handle, stop } of this.#held.values()) {
      stop();
      handle.destroy();
    }
    this.#held.clear();
  }

  #open(name: string): Held {
    const handle = this.#client.document(name, KEPT);
    handle.disconnect();
    // What is refused is told where the document is shown.
    handle.on('error', () => {});
    let sending = false;
    const settle = (unsaved: number): void => {
      if (sending === unsaved > 0) return;
      sending = unsaved > 0;
      if (sending) handle.connect();
      else handle.disconnect();
    };
    const stop = handle.unsavedChanges.subscribe(settle);
    settle(handle.unsavedChanges.get());
    return { handle, stop };
  }
}
