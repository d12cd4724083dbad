import * as Y from 'yjs';
import type { DocumentClient, DocumentClientOptions } from './clients/document-client.ts';
import { readTrace, SEPH_BLOG1 } from './read-trace.ts';
import type { Round } from './scenario.ts';
import { type Deadline, inPace, TEXT, type Typing } from './support.ts';

/** Updates that the reader lacks: as many as an Ashlar client has under way (client/documents/update-sender.ts). */
export const IN_FLIGHT = 32;

/** What one writer sends, in order, and what comes of it. */
export interface Course extends Typing {
  /** By update: the writer's clock behind it. */
  readonly clocks: readonly number[];
}

/** Finds the clocks and the text of one writer's updates. */
export function courseOf(clientId: number, updates: readonly Uint8Array[]): Course {
  const doc = new Y.Doc();
  const clocks = updates.map((update) => {
    Y.applyUpdate(doc, update);
    return Y.getState(doc.store, clientId);
  });
  const text = doc.getText(TEXT).toString();
  doc.destroy();
  return { clientId, updates, clocks, text };
}

let recorded: ReturnType<typeof readTrace> | undefined;
const courses = new Map<string, Course>();

/** The first transactions of the recorded session seph-blog1. @param perUpdate transactions that are merged into one update */
export function recordedCourse(transactions: number, perUpdate: number): Course {
  const key = `${transactions}/${perUpdate}`;
  let course = courses.get(key);
  if (course === undefined) {
    recorded ??= readTrace(SEPH_BLOG1, 1, 0);
    const singly = recorded.updates.slice(0, transactions);
    const updates = Array.from({ length: Math.ceil(singly.length / perUpdate) }, (_, index) => {
      const some = singly.slice(index * perUpdate, (index + 1) * perUpdate);
      return some.length === 1 ? (some[0] as Uint8Array) : Y.mergeUpdates(some);
    });
    course = courseOf(recorded.clientId, updates);
    courses.set(key, course);
  }
  return course;
}

/** One who writes a document and one who reads along. */
export class Pair {
  readonly reader = new Y.Doc();
  sent = 0;
  received = 0;
  readonly course: Course;
  readonly #connect: (more: Pick<DocumentClientOptions, 'user' | 'clientId' | 'onUpdate'>) => Promise<DocumentClient>;
  #reader: DocumentClient | undefined;
  #writer: DocumentClient | undefined;
  #onReceived: () => void = () => undefined;

  constructor({ candidate }: Round, port: number, document: string, course: Course, deadline: Deadline) {
    this.course = course;
    this.#connect = (more) => candidate.connect({ port, document, onFailure: deadline.fail, ...more });
  }

  async join(): Promise<void> {
    const { clientId, clocks } = this.course;
    const onUpdate = (update: Uint8Array): void => {
      Y.applyUpdate(this.reader, update);
      const clock = Y.getState(this.reader.store, clientId);
      while (this.received < this.sent && (clocks[this.received] as number) <= clock) this.received += 1;
      this.#onReceived();
    };
    this.#reader = await this.#connect({ user: 'reader', onUpdate });
    await this.renewWriter();
  }

  /** The writer comes back on a new connection, to which limits count anew. */
  async renewWriter(): Promise<void> {
    this.#writer?.close();
    this.#writer = await this.#connect({ user: 'writer', clientId: this.course.clientId, onUpdate: () => undefined });
  }

  /** Sends up to an update, the next one when the reader lacks fewer than 32; resolves when the reader has them, with their deletions where it is the last. */
  send(to: number): Promise<void> {
    return this.#until(to, () => {
      while (this.sent < to && this.sent - this.received < IN_FLIGHT) this.#sendNext();
    });
  }

  /** Sends up to an update, each at its time; resolves when the reader has them. */
  async pace(to: number, everyMs: number): Promise<void> {
    await inPace(to - this.sent, everyMs, () => this.#sendNext());
    await this.#until(to, () => undefined);
  }

  #sendNext(): void {
    this.sent += 1;
    this.#writer?.send(this.course.updates[this.sent - 1] as Uint8Array);
  }

  #until(to: number, onReceived: () => void): Promise<void> {
    const { updates, text } = this.course;
    return new Promise((resolve) => {
      this.#onReceived = () => {
        onReceived();
        if (this.received < to) return;
        // Deletions move no clock.
        if (to < updates.length || this.reader.getText(TEXT).toString() === text) resolve();
      };
      this.#onReceived();
    });
  }

  close(): void {
    this.#reader?.close();
    this.#writer?.close();
    this.reader.destroy();
  }
}
