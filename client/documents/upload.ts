import { type ClientFrame, encodeClientFrame } from '../../shared/document-frame.ts';
import type { Environment } from '../environment.ts';

// Room in a frame for everything but the bytes: type, counter, flags, index, count, length.
const FRAME_OVERHEAD_BYTES = 64;
// Below this the socket's heartbeat and other documents still get through on a slow line.
const BACKLOG_BYTES = 256_000;
const POLL_MS = 25;

/** The frames of an update: one, or parts where it is larger than a frame may be. */
export function framesOf(frame: ClientFrame, frameBytes: number): readonly ClientFrame[] {
  if (frame.type !== 'update') return [frame];
  const { counter, full, update } = frame;
  const size = Math.max(1, frameBytes - FRAME_OVERHEAD_BYTES);
  if (update.length <= size) return [frame];
  const count = Math.ceil(update.length / size);
  return Array.from({ length: count }, (_, index) => {
    return { type: 'part', counter, full, index, count, bytes: update.subarray(index * size, (index + 1) * size) };
  });
}

export interface UploadPorts {
  send(frame: Uint8Array): void;
  /** Bytes that the transport has not sent yet. */
  backlogBytes(): number;
  frameBytes(): number;
  readonly env: Pick<Environment, 'after'>;
}

/** Sends a document's frames in order; large ones piece by piece, as the line takes them. */
export class Upload {
  readonly #ports: UploadPorts;
  #queue: ClientFrame[] = [];
  #cancel: (() => void) | null = null;

  constructor(ports: UploadPorts) {
    this.#ports = ports;
  }

  push(frame: ClientFrame): void {
    this.#queue.push(...framesOf(frame, this.#ports.frameBytes()));
    if (this.#cancel === null) this.#pump();
  }

  /** Forgets what was not sent: with the connection, or because the session starts over. */
  clear(): void {
    this.#queue = [];
    this.#cancel?.();
    this.#cancel = null;
  }

  #pump(): void {
    this.#cancel = null;
    while (this.#queue.length > 0) {
      if (this.#ports.backlogBytes() > BACKLOG_BYTES) {
        this.#cancel = this.#ports.env.after(POLL_MS, () => this.#pump());
        return;
      }
      this.#ports.send(encodeClientFrame(this.#queue.shift()!));
    }
  }
}
