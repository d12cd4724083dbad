import { FrameReplica } from './frame-replica.ts';

/** A member that types into a document's text `text`, one letter per update, one after the other without waiting. */
export class DocumentTyper implements AsyncDisposable {
  readonly replica: FrameReplica;
  readonly #sent: Uint8Array[] = [];
  #outgoing: Uint8Array[] = [];

  constructor(replica: FrameReplica) {
    this.replica = replica;
    replica.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== replica) this.#outgoing.push(update);
    });
  }

  static async open(url: string, token: string, name: string, clientId?: number): Promise<DocumentTyper> {
    return new DocumentTyper(await FrameReplica.open(url, token, name, clientId));
  }

  get text(): string {
    return this.replica.text;
  }

  /** Its updates that are on disk. */
  get saved(): number {
    return this.replica.saved;
  }

  /** Types so many letters, each an update of its own; resolves when all are on disk. */
  type(letters: number): Promise<void> {
    const text = this.replica.doc.getText('text');
    for (let index = 0; index < letters; index++) text.insert(text.length, String.fromCharCode(97 + (text.length % 26)));
    for (const update of this.#outgoing.splice(0)) this.replica.client.update(this.#sent.push(update), update);
    return this.replica.savedUpTo(this.#sent.length);
  }

  /** Sends its updates from this counter on once more. */
  repeat(from: number): void {
    for (let counter = from; counter <= this.#sent.length; counter++) {
      this.replica.client.update(counter, this.#sent[counter - 1] as Uint8Array);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.replica[Symbol.asyncDispose]();
  }
}
