import type { Socket } from 'socket.io';
import type { EncodedPacket } from './encode-packet.ts';
import { type SendQueue, sendQueueOf } from './send-queue.ts';

type Connection = Socket['conn'];

/** What engine.io's WebSocket transport has and its types hide. */
interface FramingTransport {
  readonly name: string;
  readonly supportsBinary: boolean;
  readonly perMessageDeflate?: unknown;
}

/** What engine.io and socket.io-adapter use between them to write a frame as it is. */
interface PreEncoded {
  compress: boolean;
  wsPreEncodedFrame: readonly Buffer[];
  /** For `SendQueue.withdraw`: engine.io keeps what it does not know. */
  room: string | undefined;
}

/**
 * Writes a packet to a socket's connection, in the order of the calls and of the socket's own emits; a socket that is no
 * longer connected gets nothing. On WebSocket all frames go in one write (one system call per receiver instead of one per frame);
 * on long-polling, and while an upgrade is under way, the engine gets the packets and frames them itself.
 */
export function writePacket(socket: Socket, packet: EncodedPacket, queue: SendQueue = sendQueueOf(socket.conn)): void {
  if (!writeAtOnce(socket, packet, queue)) queuePacket(socket, packet);
}

/** Hands a packet to the socket's connection, behind what waits there. */
export function queuePacket(socket: Socket, packet: EncodedPacket): void {
  if (!socket.connected) return;
  const { conn } = socket;
  if (takesFrames(conn)) {
    const options: PreEncoded = { compress: false, wsPreEncodedFrame: [packet.webSocketFrames], room: packet.room };
    conn.write('', options);
    return;
  }
  for (const part of packet.packets) conn.write(part, { compress: false, room: packet.room } as { compress: boolean });
}

/**
 * Writes a packet where nothing waits before it, which is what most receivers are like most of the time.
 * @returns false: nothing was written
 */
export function writeAtOnce(socket: Socket, packet: EncodedPacket, queue: SendQueue): boolean {
  return socket.connected && takesFrames(socket.conn) && queue.writeThrough(packet.webSocketFrames);
}

/** Frames made beforehand fit unless the connection asked for base64, for compression, or for another protocol version. */
function takesFrames(conn: Connection): boolean {
  const transport = conn.transport as unknown as FramingTransport;
  return transport.name === 'websocket' && transport.supportsBinary && !transport.perMessageDeflate && conn.protocol === 4;
}
