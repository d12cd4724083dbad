import { Encoder, PacketType } from 'socket.io-parser';
import { AshlarError } from '../../shared/errors.ts';

/**
 * A Socket.IO packet encoded once for all of its receivers.
 * `packets` are the engine packets (a string, and a Buffer per attachment), for transports that frame by themselves;
 * `webSocketFrames` is all of them as finished server-to-client WebSocket frames in one buffer.
 */
export interface EncodedPacket {
  readonly packets: readonly (string | Buffer)[];
  readonly webSocketFrames: Buffer;
  /** What it costs a queue. */
  readonly bytes: number;
  /** The room whose content it is: it is withdrawn with the access to that room. */
  readonly room?: string | undefined;
}

const encoder = new Encoder();

const TEXT_FRAME = 0x81; // FIN, opcode 1
const BINARY_FRAME = 0x82; // FIN, opcode 2
const ENGINE_MESSAGE = 0x34; // '4', before text only: a binary packet of Engine.IO 4 is bare

/**
 * Encodes an event of namespace `/`, exactly as the stock parser and engine would.
 * @param room the room whose content it is, if any
 * @param args the event's name and its arguments; a Uint8Array anywhere among them becomes an attachment (its bytes are copied)
 * @throws AshlarError `invalid-payload` where JSON cannot hold the arguments
 */
export function encodeEvent(args: readonly unknown[], room?: string): EncodedPacket {
  const packet = encode(PacketType.EVENT, args, undefined);
  return room === undefined ? packet : { ...packet, room };
}

/**
 * Encodes an event of namespace `/` whose arguments are JSON already, and hold no bytes.
 * @param json the event's name and its arguments, as one JSON array
 */
export function encodeText(json: string, room: string): EncodedPacket {
  return { ...frame([`${PacketType.EVENT}${json}`]), room };
}

/**
 * Encodes the answer to a packet of namespace `/` that asked for an ack.
 * @param id the id that the asking packet carried
 * @throws AshlarError `invalid-payload` where JSON cannot hold the arguments
 */
export function encodeAck(id: number, args: readonly unknown[]): EncodedPacket {
  return encode(PacketType.ACK, args, id);
}

function encode(type: PacketType, data: readonly unknown[], id: number | undefined): EncodedPacket {
  let encoded: (string | ArrayBuffer | ArrayBufferView)[];
  try {
    encoded = encoder.encode(id === undefined ? { type, nsp: '/', data } : { type, nsp: '/', data, id });
  } catch (cause) {
    throw new AshlarError('invalid-payload', { cause, detail: cause instanceof Error ? cause.message : undefined });
  }
  return frame(encoded);
}

function frame(encoded: readonly (string | ArrayBuffer | ArrayBufferView)[]): EncodedPacket {
  let length = 0;
  for (const part of encoded) {
    const payload = typeof part === 'string' ? 1 + Buffer.byteLength(part) : part.byteLength;
    length += headerLength(payload) + payload;
  }
  const frames = Buffer.allocUnsafe(length);
  const packets: (string | Buffer)[] = [];
  let offset = 0;
  for (const part of encoded) {
    if (typeof part === 'string') {
      const payload = 1 + Buffer.byteLength(part);
      offset = writeHeader(frames, offset, TEXT_FRAME, payload);
      frames[offset] = ENGINE_MESSAGE;
      offset += 1 + frames.write(part, offset + 1);
      packets.push(part);
    } else {
      offset = writeHeader(frames, offset, BINARY_FRAME, part.byteLength);
      frames.set(bytesOf(part), offset);
      // The attachment inside the frames, not the caller's: one copy in memory, and the same bytes on every transport.
      packets.push(frames.subarray(offset, offset + part.byteLength));
      offset += part.byteLength;
    }
  }
  return { packets, webSocketFrames: frames, bytes: length };
}

function bytesOf(part: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(part) ? new Uint8Array(part.buffer, part.byteOffset, part.byteLength) : new Uint8Array(part);
}

/** RFC 6455, 5.2: seven bits of length, or 126 and 16 bits, or 127 and 64 bits. Frames of a server are not masked. */
function headerLength(payload: number): number {
  return payload < 126 ? 2 : payload < 65_536 ? 4 : 10;
}

function writeHeader(frames: Buffer, offset: number, first: number, payload: number): number {
  frames[offset] = first;
  if (payload < 126) {
    frames[offset + 1] = payload;
    return offset + 2;
  }
  if (payload < 65_536) {
    frames[offset + 1] = 126;
    return frames.writeUInt16BE(payload, offset + 2);
  }
  frames[offset + 1] = 127;
  frames.writeUInt32BE(Math.floor(payload / 2 ** 32), offset + 2);
  return frames.writeUInt32BE(payload % 2 ** 32, offset + 6);
}
