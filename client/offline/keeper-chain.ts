import type { Keeper, Keeping, KeptDocument } from '../documents/keeper.ts';

/** A document's keepers, one after the other, through loads and resets. */
export class KeeperChain implements Keeping {
  whenLoaded: Promise<void> = Promise.resolve();
  readonly #document: KeptDocument;
  readonly #keep: (document: KeptDocument) => Promise<Keeper>;
  readonly #onLoaded: () => void;
  #keeper: Keeper | null = null;
  #loading = false;
  #load = 0;
  #forgotten: Promise<void> | undefined;

  /** @param onLoaded called after each load but the first */
  constructor(document: KeptDocument, keep: (document: KeptDocument) => Promise<Keeper>, onLoaded: () => void) {
    this.#document = document;
    this.#keep = keep;
    this.#onLoaded = onLoaded;
  }

  get isLoading(): boolean {
    return this.#loading;
  }

  isAnothers(userId: string | undefined): boolean {
    return this.#keeper !== null && userId !== undefined && this.#keeper.userId !== userId;
  }

  load(): void {
    this.close();
    const load = this.#load;
    this.#loading = true;
    this.whenLoaded = Promise.resolve(this.#forgotten)
      .then(() => this.#keep(this.#document))
      .then(
        (keeper) => {
          if (load === this.#load) this.#keeper = keeper;
          else keeper.close();
        },
        (cause: unknown) => this.#document.keepingFailed(cause),
      )
      .then(() => {
        if (load !== this.#load) return;
        this.#loading = false;
        if (load > 1) this.#onLoaded();
      });
  }

  beforeJoin(): Promise<void> | null {
    return this.#keeper?.beforeJoin() ?? null;
  }

  changed(): void {
    this.#keeper?.changed();
  }

  startOver(unsaved: Uint8Array | null): void {
    this.#forgotten = this.#keeper?.startOver(unsaved).catch((cause: unknown) => this.#document.keepingFailed(cause));
    this.#keeper = null;
  }

  forgetUnsaved(): void {
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
