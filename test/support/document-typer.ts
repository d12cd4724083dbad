import { FrameReplica } from './frame-replica.ts';

/** A member that types into a document's text `text`, one letter per update, one after the other without waiting. */
export class DocumentTyper implements AsyncDisposable {
  readonly replica: FrameReplica;
  #counter = 0;
  #outgoing: Uint8Array[] = [];

  constructor(replica: FrameReplica) {
    this.replica = replica;
    replica.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== replica) this.#outgoing.push(update);
    });
  }

  static async open(url: string, token: string, name: string, clientId: number): Promise<DocumentTyper> {
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
    for (const update of this.#outgoing.splice(0)) this.replica.client.update(++this.#counter, update);
    return this.replica.savedUpTo(this.#counter);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.replica[Symbol.asyncDispose]();
  }
}
