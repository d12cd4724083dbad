import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';
import type { DocumentClient } from '../../clients/document-client.ts';
import { expect, type Round } from '../../scenario.ts';
import { type Deadline, inParallel, TEXT, type Typing, typeText, wait } from '../../support.ts';

const DOCUMENTS = 20;
const TYPISTS = 5;
const PACE_MS = 333;
/** Those who look at the first of each document's typists see this many others. */
const OTHERS = TYPISTS - 1;

/** Twenty documents with five people each, who type three characters a second and show their cursors. */
export class Typists {
  readonly clients: DocumentClient[] = [];
  /** From an update's leaving to each other's having it, ms. */
  latencies: number[] = [];
  received = 0;
  readonly #people: readonly Typing[];
  /** By client id: whose it is. */
  readonly #byClientId: ReadonlyMap<number, number>;
  readonly #sentAt: Float64Array[];
  /** By receiver and sender within the document: how many characters have come. */
  readonly #counts: Uint32Array[];
  /** What the first of each document holds, and sees of the others: cursors by client id. */
  readonly #docs = Array.from({ length: DOCUMENTS }, () => new Y.Doc());
  readonly #cursors = Array.from({ length: DOCUMENTS }, () => new Map<number, number>());
  #onReceived: () => void = () => undefined;

  constructor(characters: number) {
    this.#people = Array.from({ length: DOCUMENTS * TYPISTS }, (_, index) => typeText(characters, index));
    this.#byClientId = new Map(this.#people.map(({ clientId }, index) => [clientId, index]));
    this.#sentAt = this.#people.map(() => new Float64Array(characters));
    this.#counts = this.#people.map(() => new Uint32Array(TYPISTS));
  }

  /** @param onEvent told of events, with the index of who got them */
  async join(
    { candidate }: Round,
    port: number,
    onEvent: (person: number, json: string) => void,
    deadline: Deadline,
  ): Promise<void> {
    await inParallel(this.#people.length, 10, async (person) => {
      const document = Math.floor(person / TYPISTS);
      const isFirst = person % TYPISTS === 0;
      this.clients[person] = await candidate.connect({
        port,
        document: `page-${document}`,
        user: `user-${person}`,
        clientId: this.#people[person]?.clientId as number,
        onUpdate: (update) => {
          if (isFirst) Y.applyUpdate(this.#docs[document] as Y.Doc, update);
          this.#take(person, update);
        },
        onAwareness: (awareness) => {
          if (!isFirst) return;
          takeCursors(this.#cursors[document] as Map<number, number>, awareness);
          this.#onReceived();
        },
        onEvent: (json) => onEvent(person, json),
        onFailure: deadline.fail,
      });
    });
  }

  #take(receiver: number, update: Uint8Array): void {
    const now = performance.now();
    const counts = this.#counts[receiver] as Uint32Array;
    for (const { id, length } of Y.decodeUpdate(update).structs) {
      const sender = this.#byClientId.get(id.client) as number;
      // A server may send back what it was sent.
      if (sender === receiver) continue;
      const first = counts[sender % TYPISTS] as number;
      counts[sender % TYPISTS] = first + length;
      for (let number = first; number < first + length; number += 1) {
        this.latencies.push(now - (this.#sentAt[sender]?.[number] as number));
      }
      this.received += length;
    }
    this.#onReceived();
  }

  /** Everybody types characters from one to another; resolves when all of their document have them. */
  async type(from: number, to: number): Promise<void> {
    await Promise.all(
      this.#people.map(async ({ clientId, updates }, person) => {
        const client = this.clients[person] as DocumentClient;
        // People do not type in step.
        await wait((person / this.#people.length) * PACE_MS);
        const startedAt = performance.now();
        for (let next = from; next < to; next += 1) {
          (this.#sentAt[person] as Float64Array)[next] = performance.now();
          client.send(updates[next] as Uint8Array);
          client.show?.(encodeCursor(clientId, next + 1));
          await wait(Math.max(0, startedAt + (next + 1 - from) * PACE_MS - performance.now()));
        }
      }),
    );
    await this.#until(() => this.received >= this.#people.length * OTHERS * to && this.#seesCursors(to));
  }

  #seesCursors(at: number): boolean {
    return this.#cursors.every((cursors, document) =>
      this.#people.slice(document * TYPISTS + 1, (document + 1) * TYPISTS).every(({ clientId }) => cursors.get(clientId) === at),
    );
  }

  #until(done: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#onReceived = () => {
        if (done()) resolve();
      };
      this.#onReceived();
    });
  }

  /** Each has each character once, and the first of each document holds what was typed there. */
  verify(characters: number): void {
    const expected = this.#people.length * OTHERS * characters;
    expect(this.received === expected, `${expected} characters arrive, there were ${this.received}`);
    for (const [document, doc] of this.#docs.entries()) {
      const own = this.#people[document * TYPISTS] as Typing;
      Y.applyUpdate(doc, Y.mergeUpdates([...own.updates.slice(0, characters)]));
      expect(doc.getText(TEXT).length === TYPISTS * characters, `document ${document} is whole`);
    }
  }

  close(): void {
    for (const client of this.clients) client?.close();
  }
}

/** One entry of y-protocols' awareness encoding. */
function encodeCursor(clientId: number, cursor: number): Uint8Array {
  const encoder = encoding.createEncoder();
  for (const number of [1, clientId, cursor]) encoding.writeVarUint(encoder, number);
  encoding.writeVarString(encoder, JSON.stringify({ cursor }));
  return encoding.toUint8Array(encoder);
}

function takeCursors(cursors: Map<number, number>, awareness: Uint8Array): void {
  const decoder = decoding.createDecoder(awareness);
  for (let left = decoding.readVarUint(decoder); left > 0; left -= 1) {
    const clientId = decoding.readVarUint(decoder);
    decoding.readVarUint(decoder);
    const state = JSON.parse(decoding.readVarString(decoder)) as { cursor?: number } | null;
    if (state?.cursor !== undefined) cursors.set(clientId, state.cursor);
  }
}
