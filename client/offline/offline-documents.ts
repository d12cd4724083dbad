import type { Keeper, Keeping, KeptDocument } from '../documents/keeper.ts';
import type { ClientCore } from '../event-client.ts';
import { DocumentKeeper } from './document-keeper.ts';
import { indexedDbStorage } from './indexeddb-storage.ts';
import { KeeperChain } from './keeper-chain.ts';
import type { OfflineStorage } from './offline-storage.ts';
import { whoseDocuments } from './whose-documents.ts';

/** What of a client's documents is kept over reloads, and for whom. */
export class OfflineDocuments {
  readonly #core: ClientCore;
  readonly #storage: OfflineStorage;

  constructor(core: ClientCore, storage: OfflineStorage = indexedDbStorage()) {
    this.#core = core;
    this.#storage = storage;
    core.connector.session.subscribe((session) => {
      if (session !== null) this.#remember(session.user.id);
    });
    const session = core.connector.session.get();
    if (session !== null) this.#remember(session.user.id);
  }

  /** As `Keep`. */
  async keep(document: KeptDocument, onLoaded: () => void): Promise<Keeping> {
    const chain = new KeeperChain(document, (kept) => this.#open(kept), onLoaded);
    chain.load();
    await chain.whenLoaded;
    return chain;
  }

  clear(): Promise<void> {
    return this.#storage.clear();
  }

  async #open(document: KeptDocument): Promise<Keeper> {
    const { connector, env } = this.#core;
    const userId = await whoseDocuments(connector, this.#storage, env);
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
