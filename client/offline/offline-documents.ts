import type { Keeper, Keeping, KeptDocument } from '../documents/keeper.ts';
import type { ClientCore } from '../event-client.ts';
import { DocumentKeeper } from './document-keeper.ts';
import { indexedDbStorage } from './indexeddb-storage.ts';
import { KeeperChain } from './keeper-chain.ts';
import type { OfflineStorage } from './offline-storage.ts';
import { whoseDocuments } from './whose-documents.ts';

export interface OfflineDocumentsOptions {
  /** Default: the browser's IndexedDB. */
  storage?: OfflineStorage | undefined;
  /** The user of the page, where it knows. */
  userId?: string | undefined;
}

/** What of a client's documents is kept over reloads, and for whom. */
export class OfflineDocuments {
  readonly #core: ClientCore;
  readonly #storage: OfflineStorage;
  readonly #userId: string | null;

  constructor(core: ClientCore, { storage = indexedDbStorage(), userId }: OfflineDocumentsOptions = {}) {
    this.#core = core;
    this.#storage = storage;
    this.#userId = userId ?? null;
    core.connector.session.subscribe((session) => {
      if (session !== null) this.#remember(session.user.id);
    });
    const session = core.connector.session.get();
    if (session !== null) this.#remember(session.user.id);
  }

  /** As `Keep`. */
  keep(document: KeptDocument, onLoaded: () => void): Keeping {
    return new KeeperChain(document, (kept, onUndecided) => this.#open(kept, onUndecided), onLoaded);
  }

  clear(): Promise<void> {
    return this.#storage.clear();
  }

  async #open(document: KeptDocument, onUndecided: () => void): Promise<Keeper> {
    const { connector, env, user } = this.#core;
    // A page that signs somebody else in on the same client knew the one before.
    const given = (user.get()?.id ?? this.#userId) === this.#userId ? this.#userId : null;
    const userId = await whoseDocuments(connector, this.#storage, env, {
      userId: connector.verifiedUser ?? given,
      onUndecided,
    });
    const stored = await this.#storage.open(userId, document.room, (cause) => document.keepingFailed(cause));
    const keeper = new DocumentKeeper(userId, document, stored, env);
    try {
      await keeper.load(this.#storage);
    } catch (error) {
      keeper.close();
      throw error;
    }
    return keeper;
  }

  #remember(userId: string): void {
    this.#storage.setLastUser(userId).catch((error: unknown) => this.#core.report(error, 'offline documents'));
  }
}
