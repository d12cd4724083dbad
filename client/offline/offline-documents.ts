import type { Keeper, Keeping, KeptDocument } from '../documents/keeper.ts';
import type { ClientCore } from '../event-client.ts';
import { DocumentKeeper } from './document-keeper.ts';
import { inTime } from './in-time.ts';
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
    const { session } = core.connector;
    const remember = (): void => {
      const user = session.get()?.user;
      if (user) storage.setLastUser(user.id).catch((error: unknown) => core.report(error, 'offline documents'));
    };
    session.subscribe(remember);
    remember();
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
    const storage = { lastUser: () => inTime(env, this.#storage.lastUser()) };
    const userId = await whoseDocuments(connector, storage, env, {
      userId: connector.verifiedUser ?? given,
      onUndecided,
    });
    const opening = this.#storage.open(userId, document.room, (cause) => document.keepingFailed(cause));
    let end = (): unknown => opening.then((late) => late.close()).catch(() => {});
    try {
      const keeper = new DocumentKeeper(userId, document, await inTime(env, opening), env);
      end = () => keeper.close();
      await inTime(env, keeper.load(this.#storage));
      return keeper;
    } catch (error) {
      end();
      throw error;
    }
  }
}
