import type { ResetReason } from '../documents/document-status.ts';
import type { Keeper, Keeping, KeptDocument } from '../documents/keeper.ts';

/** @param onUndecided called where nothing can be loaded for now */
export type KeepOne = (document: KeptDocument, onUndecided: () => void) => Promise<Keeper>;

/** A document's keepers, one after the other, through loads and resets. */
export class KeeperChain implements Keeping {
  whenLoaded: Promise<void> = Promise.resolve();
  readonly #document: KeptDocument;
  readonly #keep: KeepOne;
  readonly #onLoaded: () => void;
  #keeper: Keeper | null = null;
  #loading = false;
  #load = 0;
  #startedOver: Promise<void> | undefined;
  /** What was not saved is not wanted any more, and no keeper was there to hear it. */
  #forgets = false;

  /** @param onLoaded called after each load */
  constructor(document: KeptDocument, keep: KeepOne, onLoaded: () => void) {
    this.#document = document;
    this.#keep = keep;
    this.#onLoaded = onLoaded;
  }

  get isLoading(): boolean {
    return this.#loading;
  }

  get userId(): string | undefined {
    return this.#keeper?.userId;
  }

  load(): void {
    this.close();
    const load = this.#load;
    this.#loading = true;
    this.whenLoaded = new Promise((resolve) => {
      void Promise.resolve(this.#startedOver)
        .then(() => this.#keep(this.#document, resolve))
        .then(
          (keeper) => {
            if (load !== this.#load) {
              keeper.close();
              return;
            }
            this.#keeper = keeper;
            if (this.#forgets) this.#document.forgetUnsaved();
          },
          (cause: unknown) => this.#document.keepingFailed(cause),
        )
        .then(() => {
          if (load === this.#load) {
            this.#loading = false;
            this.#onLoaded();
          }
          resolve();
        });
    });
  }

  beforeJoin(): Promise<void> | null {
    return this.#keeper?.beforeJoin() ?? null;
  }

  changed(): void {
    this.#keeper?.changed();
  }

  startOver(unsaved: Uint8Array | null, reason: ResetReason): void {
    this.#startedOver = this.#keeper?.startOver(unsaved, reason).catch((cause: unknown) => this.#document.keepingFailed(cause));
    this.#keeper = null;
  }

  forgetUnsaved(): void {
    this.#forgets = this.#keeper === null;
    this.#keeper?.forgetUnsaved();
  }

  close(): void {
    this.#load++;
    this.#loading = false;
    this.#keeper?.close();
    this.#keeper = null;
    this.#document.keptOrigins.clear();
  }
}
