import * as Y from 'yjs';
import type { DocumentClient } from '../../clients/document-client.ts';
import { expect, type Round } from '../../scenario.ts';
import { type Deadline, wait } from '../../support.ts';

const PARAGRAPHS = 20_000;
const PER_UPDATE = 1_000;
const PACE_MS = 8;
const MOST_UPDATES = 3_000;
const CLIENT_ID = 1_999_999_973;

/** A document of 2 MB in 20,000 paragraphs, one who writes in it and one who reads. */
export class LongDocument {
  readonly #doc = new Y.Doc();
  readonly #reader = new Y.Doc();
  readonly #clients: DocumentClient[] = [];
  #onRead: () => void = () => undefined;

  async join({ candidate }: Round, port: number, deadline: Deadline): Promise<void> {
    this.#doc.clientID = CLIENT_ID;
    const common = { port, document: 'report', onFailure: deadline.fail };
    const onUpdate = (update: Uint8Array): void => {
      Y.applyUpdate(this.#reader, update);
      this.#onRead();
    };
    this.#clients.push(await candidate.connect({ ...common, user: 'reader', onUpdate }));
    const writer = await candidate.connect({ ...common, user: 'author', clientId: CLIENT_ID, onUpdate: () => undefined });
    this.#clients.push(writer);
    this.#doc.on('update', (update: Uint8Array) => writer.send(update));
    const paragraphs = this.#doc.getArray<Y.Text>('paragraphs');
    for (let made = 0; made < PARAGRAPHS; made += PER_UPDATE) {
      const some = Array.from({ length: PER_UPDATE }, (_, index) => new Y.Text(`${made + index} ${'lorem ipsum '.repeat(7)}`));
      paragraphs.push(some);
      await this.#whenRead();
    }
    expect(Y.encodeStateAsUpdate(this.#doc).length > 2_000_000, 'the long document has 2 MB');
  }

  /**
   * Types in its first paragraph, 125 updates a second; resolves when the reader has it.
   * @param enough asked every 100 updates behind the first `count`, `MOST_UPDATES` at most
   */
  async type(count: number, enough: () => Promise<boolean>): Promise<void> {
    const text = this.#doc.getArray<Y.Text>('paragraphs').get(0);
    const startedAt = performance.now();
    for (let typed = 1; typed <= MOST_UPDATES; typed += 1) {
      if (typed > count && typed % 100 === 0 && (await enough())) break;
      text.insert(text.length, 'x');
      await wait(Math.max(0, startedAt + typed * PACE_MS - performance.now()));
    }
    await this.#whenRead();
    expect(
      this.#reader.getArray<Y.Text>('paragraphs').get(0).toString() === text.toString(),
      'the reader of the long document holds what was typed',
    );
  }

  #whenRead(): Promise<void> {
    return new Promise((resolve) => {
      this.#onRead = () => {
        if (Y.getState(this.#reader.store, CLIENT_ID) === Y.getState(this.#doc.store, CLIENT_ID)) resolve();
      };
      this.#onRead();
    });
  }

  close(): void {
    for (const client of this.#clients) client.close();
    this.#reader.destroy();
    this.#doc.destroy();
  }
}
