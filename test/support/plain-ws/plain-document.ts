import { randomBytes } from 'node:crypto';
import * as Y from 'yjs';
import { awarenessFrame, type IncomingFrame, pullFrame, readAwareness, readFrame, syncFrame, updateFrames } from './frames.ts';
import type { PlainClient } from './plain-client.ts';
import type { Answer } from './wire-connection.ts';

interface Pending {
  counter: number;
  full: boolean;
  update: Uint8Array;
}

// What the table of errors calls `later`, of the codes that an update can be refused with.
const LATER = ['rate-limited', 'counter-gap', 'storage-full', 'storage-unavailable', 'document-damaged', 'internal'];

/** One Y.Doc in one document room, kept in step with the server as docs/protocol.md says. */
export class PlainDocument {
  readonly room: string;
  readonly doc = new Y.Doc();
  /** What others show, by Yjs client id. */
  readonly others = new Map<number, { clock: number; state: Record<string, unknown> }>();
  /** Frames received, by type: for tests to look at. */
  readonly seen: IncomingFrame['type'][] = [];
  /** The newest answer to a join. */
  answer: Answer = null;
  /** Why client and server cannot go on with this Y.Doc: the user's unsaved edits stay in it. */
  ended: string | null = null;
  readonly #client: PlainClient;
  readonly #changed: () => void;
  /** Drawn once per Y.Doc: who presents it resumes. */
  readonly #secret = randomBytes(24).toString('base64url');
  #phase: 'offline' | 'joining' | 'loading' | 'live' = 'offline';
  #position: { epoch: string; seq: number } | null = null;
  #incarnation: string | null = null;
  #everSynced = false;
  #fullStepDue = false;
  #outbox: Pending[] = [];
  #lastCounter = 0;
  #transfer: { id: number; chunks: Uint8Array[]; stateVector: Uint8Array } | null = null;
  #awareness: object | null = null;
  #hold: NodeJS.Timeout | null = null;

  constructor(room: string, client: PlainClient, changed: () => void) {
    this.room = room;
    this.#client = client;
    this.#changed = changed;
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin === this || this.ended !== null) return;
      const entry = { counter: ++this.#lastCounter, full: false, update };
      this.#outbox.push(entry);
      if (this.#phase === 'live' && this.#hold === null) this.#sendUpdate(entry);
    });
  }

  get live(): boolean {
    return this.#phase === 'live';
  }

  /** Whether everything that was there when it joined has come. */
  get whole(): boolean {
    return this.live && (this.#position?.seq ?? 0) >= this.answer.head;
  }

  /** Whether all that was typed here is on the server's disk. */
  get saved(): boolean {
    return this.#phase === 'live' && this.#outbox.length === 0;
  }

  get text(): Y.Text {
    return this.doc.getText('t');
  }

  /** Shows something to the others. */
  show(state: object | null): void {
    this.#awareness = state;
    if (this.#phase !== 'offline' && this.#phase !== 'joining') this.#sendAwareness();
  }

  /** Loses what was not saved, as a client that keeps its document but not its outbox does on a reload. */
  forgetUnsent(): void {
    this.#outbox = [];
  }

  connected(): void {
    if (this.ended !== null) return;
    this.#phase = 'joining';
    const options = { ...this.#position, clientId: this.doc.clientID, session: this.#secret };
    this.#client.request((answer) => this.#joined(answer), 'join-room', this.room, options);
  }

  disconnected(): void {
    this.#phase = 'offline';
    this.#transfer = null;
    if (this.#hold !== null) clearTimeout(this.#hold);
    this.#hold = null;
    // They are sent anew after the next join.
    this.others.clear();
  }

  accessChanged(access: string): void {
    if (access === 'none') this.#end('access-denied');
  }

  receive(bytes: Uint8Array): void {
    const frame = readFrame(bytes);
    this.seen.push(frame.type);
    switch (frame.type) {
      case 'awareness':
        this.#takeAwareness(frame.update);
        break;
      case 'state':
        this.#takeState(frame);
        break;
      case 'committed':
        this.#takeCommitted(frame);
        break;
      case 'saved':
        this.#acknowledge(frame.counter);
        break;
      case 'refused':
        this.#takeRefusal(frame);
        break;
      case 'gap':
        this.#takeGap(frame);
        break;
      case 'reset':
        this.#end(frame.reason);
        break;
    }
  }

  #joined(answer: Answer): void {
    this.answer = answer;
    if (!answer.success) {
      this.#end(answer.error.code);
      return;
    }
    if (this.#incarnation !== null && this.#incarnation !== answer.incarnation) {
      this.#end('replaced');
      return;
    }
    this.#incarnation = answer.incarnation;
    this.#acknowledge(answer.saved);
    this.#countFrom(answer.saved);
    if (answer.recovered) {
      this.#goLive();
    } else {
      this.#phase = 'loading';
      this.#position = null;
      // The log went back, or this is not what we knew: the server may lack what it once had.
      this.#fullStepDue ||= this.#everSynced && (answer.reason === 'epoch' || answer.reason === 'expired');
      this.#send(syncFrame(Y.encodeStateVector(this.doc)));
    }
    if (this.#awareness !== null) this.#sendAwareness();
    this.#changed();
  }

  #takeState(frame: Extract<IncomingFrame, { type: 'state' }>): void {
    if (this.#phase !== 'loading') return;
    if (frame.index === 0) this.#transfer = { id: frame.transfer, chunks: [], stateVector: frame.stateVector };
    const transfer = this.#transfer;
    if (transfer === null || transfer.id !== frame.transfer || transfer.chunks.length !== frame.index) return;
    transfer.chunks.push(frame.bytes);
    if (transfer.chunks.length < frame.count) {
      this.#send(pullFrame(transfer.id, transfer.chunks.length));
      return;
    }
    this.#transfer = null;
    Y.applyUpdate(this.doc, Buffer.concat(transfer.chunks), this);
    this.#position = { epoch: frame.epoch, seq: frame.seq };
    if (this.#fullStepDue) this.#replaceByFullStep(this.#outbox[0]?.counter ?? this.#lastCounter + 1, transfer.stateVector);
    this.#fullStepDue = false;
    this.#goLive();
  }

  #takeCommitted({ epoch, entries }: Extract<IncomingFrame, { type: 'committed' }>): void {
    for (const { seq, counter, update } of entries) {
      if (counter > 0) this.#acknowledge(counter);
      const next = (this.#position?.seq ?? 0) + 1;
      if (seq < next) continue;
      if (seq > next) {
        // Something was lost on the way: go on from where we stand.
        this.connected();
        return;
      }
      if (update !== null) Y.applyUpdate(this.doc, update, this);
      this.#position = { epoch, seq };
    }
  }

  #takeRefusal({ counter, code, retryAfterMs }: Extract<IncomingFrame, { type: 'refused' }>): void {
    if (code === 'not-a-member') this.connected();
    else if (!LATER.includes(code)) this.#end(code);
    else if (counter === 0 || this.#outbox.some((entry) => entry.counter === counter)) {
      // One resend for all that were refused, after the longest wait told last.
      if (this.#hold !== null) clearTimeout(this.#hold);
      this.#hold = setTimeout(
        () => {
          this.#hold = null;
          if (this.#phase === 'live') for (const entry of this.#outbox) this.#sendUpdate(entry);
          else if (this.#phase === 'loading') this.#send(syncFrame(Y.encodeStateVector(this.doc)));
        },
        Math.max(retryAfterMs, 20) * (1 + Math.random() / 4),
      );
    }
  }

  #takeGap({ counter, stateVector }: Extract<IncomingFrame, { type: 'gap' }>): void {
    if (!this.#outbox.some((entry) => entry.counter === counter)) return;
    this.#replaceByFullStep(counter, stateVector);
    for (const entry of this.#outbox) if (entry.counter >= counter) this.#sendUpdate(entry);
  }

  /** Puts everything that the server's state vector lacks in the place of the updates from `counter` on. */
  #replaceByFullStep(counter: number, stateVector: Uint8Array): void {
    this.#outbox = this.#outbox.filter((entry) => entry.counter < counter);
    this.#outbox.push({ counter, full: true, update: Y.encodeStateAsUpdate(this.doc, stateVector) });
    this.#lastCounter = counter;
  }

  #goLive(): void {
    this.#phase = 'live';
    this.#everSynced = true;
    for (const entry of this.#outbox) this.#sendUpdate(entry);
    this.#changed();
  }

  #acknowledge(counter: number): void {
    this.#outbox = this.#outbox.filter((entry) => entry.counter > counter);
    this.#changed();
  }

  /** The server expects `saved + 1` next. */
  #countFrom(saved: number): void {
    this.#outbox = this.#outbox.map((entry, index) => ({ ...entry, counter: saved + 1 + index }));
    this.#lastCounter = saved + this.#outbox.length;
  }

  #takeAwareness(update: Uint8Array): void {
    for (const { clientId, clock, state } of readAwareness(update)) {
      if (clientId === this.doc.clientID || clock <= (this.others.get(clientId)?.clock ?? 0)) continue;
      if (state === null) this.others.delete(clientId);
      else this.others.set(clientId, { clock, state });
    }
    this.#changed();
  }

  #sendAwareness(): void {
    this.#send(awarenessFrame(this.doc.clientID, this.#awareness));
  }

  #sendUpdate({ counter, full, update }: Pending): void {
    for (const frame of updateFrames(counter, full, update, this.#client.frameBytes)) this.#send(frame);
  }

  #send(frame: Uint8Array): void {
    this.#client.emit('document', this.room, frame);
  }

  #end(reason: string): void {
    this.ended = reason;
    this.disconnected();
    this.#changed();
  }
}
