import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import type { ConnectDocument } from './document-client.ts';
import { connectEngine, type Engine } from './engine.ts';
import { signToken } from './sign-token.ts';

const EMPTY_STATE_VECTOR = new Uint8Array([0]);

/** What is not on disk yet, so that it can go again from a counter on, as the protocol asks of a client. */
class Unsaved {
  counter = 0;
  readonly #updates = new Map<number, Uint8Array>();
  readonly #write: (counter: number, update: Uint8Array) => void;
  #again: NodeJS.Timeout | undefined;
  #from = 0;
  #until = 0;

  constructor(write: (counter: number, update: Uint8Array) => void) {
    this.#write = write;
  }

  send(update: Uint8Array): void {
    this.counter += 1;
    this.#updates.set(this.counter, update);
    if (this.#again === undefined) this.#write(this.counter, update);
  }

  saved(counter: number): void {
    for (const known of this.#updates.keys()) {
      if (known > counter) break;
      this.#updates.delete(known);
    }
  }

  /** Updates under way are refused one by one: they go again together, after the longest wait. */
  refused(counter: number, retryAfterMs: number): void {
    if (!this.#updates.has(counter)) return;
    const until = performance.now() + retryAfterMs;
    this.#from = this.#again === undefined ? counter : Math.min(this.#from, counter);
    if (this.#again !== undefined && until <= this.#until) return;
    this.#until = until;
    clearTimeout(this.#again);
    this.#again = setTimeout(() => {
      this.#again = undefined;
      for (const [known, update] of this.#updates) if (known >= this.#from) this.#write(known, update);
    }, retryAfterMs);
  }

  close(): void {
    clearTimeout(this.#again);
  }
}

/** A document as docs/protocol.md describes it. */
export const connectAshlar: ConnectDocument = async (options) => {
  const { port, document, user, clientId, since, onUpdate, onAwareness, onEvent, onSaved, onFailure } = options;
  const room = `doc:${document}`;
  const unsaved = new Unsaved((counter, update) =>
    send((encoder) => {
      encoding.writeVarUint(encoder, 1);
      encoding.writeVarUint(encoder, counter);
      encoding.writeVarUint(encoder, 0);
      encoding.writeVarUint8Array(encoder, update);
    }),
  );
  const takeSaved = (counter: number): void => {
    unsaved.saved(counter);
    onSaved?.(counter);
  };
  let whole: () => void = () => undefined;
  const whenWhole = new Promise<void>((resolve) => {
    whole = resolve;
  });
  // What follows an answer may come before its promise is heard.
  let head = Number.POSITIVE_INFINITY;
  let { epoch, seq } = since?.position ?? { epoch: '', seq: -1 };
  let chunks: Uint8Array[] = [];

  const send = (write: (encoder: encoding.Encoder) => void): void => {
    const encoder = encoding.createEncoder();
    write(encoder);
    engine.emitBinary(['document', room], encoding.toUint8Array(encoder));
  };
  const advance = (to: number): void => {
    seq = to;
    if (seq >= head) whole();
  };
  const onBinary = (_head: string, bytes: Buffer): void => {
    const decoder = decoding.createDecoder(bytes);
    const type = decoding.readVarUint(decoder);
    if (type === 6) {
      epoch = decoding.readVarString(decoder);
      for (let left = decoding.readVarUint(decoder); left > 0; left -= 1) {
        const at = decoding.readVarUint(decoder);
        const own = decoding.readVarUint(decoder);
        const update = own === 0 ? decoding.readVarUint8Array(decoder) : null;
        if (at !== seq + 1) onFailure(new Error(`record ${at} came after ${seq}`));
        if (update === null) takeSaved(own);
        else onUpdate(update);
        advance(at);
      }
    } else if (type === 5) {
      const transfer = decoding.readVarUint(decoder);
      const index = decoding.readVarUint(decoder);
      const count = decoding.readVarUint(decoder);
      epoch = decoding.readVarString(decoder);
      const at = decoding.readVarUint(decoder);
      decoding.readVarUint8Array(decoder);
      chunks.push(decoding.readVarUint8Array(decoder));
      if (index + 1 < count) {
        send((encoder) => {
          for (const number of [3, transfer, index + 1]) encoding.writeVarUint(encoder, number);
        });
      } else {
        onUpdate(chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks));
        chunks = [];
        advance(at);
      }
    } else if (type === 7) takeSaved(decoding.readVarUint(decoder));
    else if (type === 8) {
      const counter = decoding.readVarUint(decoder);
      const code = decoding.readVarString(decoder);
      // One before it is looked at off the server's event loop. Whatever else is refused makes a round worthless.
      if (code === 'counter-gap') unsaved.refused(counter, decoding.readVarUint(decoder));
      else onFailure(new Error(`refused: ${counter} ${code}`));
    } else if (type === 4) onAwareness?.(decoding.readVarUint8Array(decoder));
    else onFailure(new Error(`a frame of type ${type}`));
  };
  const engine: Engine = await connectEngine({
    port,
    auth: { token: signToken(user) },
    onBinary,
    onEvent: (json) => {
      if (json.startsWith('["error"')) onFailure(new Error(json));
      else onEvent?.(json);
    },
    onFailure,
  });
  const session = `${user}-${document}-${clientId}-`
    .replace(/[^A-Za-z0-9_-]/g, '_')
    .slice(-64)
    .padEnd(22, 'x');
  const [answer] = (await engine.ask([
    'join-room',
    room,
    { ...since?.position, ...(clientId !== undefined && { clientId, session }) },
  ])) as [{ success: boolean; recovered: boolean; head: number; saved: number }];
  if (!answer.success) throw new Error(`join refused: ${JSON.stringify(answer)}`);
  head = answer.head;
  unsaved.counter = answer.saved;
  if (answer.recovered) {
    advance(seq);
  } else {
    send((encoder) => {
      encoding.writeVarUint(encoder, 0);
      encoding.writeVarUint8Array(encoder, since?.stateVector ?? EMPTY_STATE_VECTOR);
    });
  }
  await whenWhole;
  return {
    send: (update) => unsaved.send(update),
    show(awareness) {
      send((encoder) => {
        encoding.writeVarUint(encoder, 4);
        encoding.writeVarUint8Array(encoder, awareness);
      });
    },
    events: engine,
    position: () => ({ epoch, seq }),
    close() {
      unsaved.close();
      engine.close();
    },
  };
};
