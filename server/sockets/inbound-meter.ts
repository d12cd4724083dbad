import type { Socket } from 'socket.io';
import { dropConnection } from './drop-connection.ts';

type Connection = Socket['conn'];
type Transport = Connection['transport'];

/** Whether a sender may go on after so many packets and bytes more. */
export type Charge = (packets: number, bytes: number) => boolean;

/**
 * Charges everything that arrives on a connection before anything else looks at it: messages, acks, pongs, and the pings and
 * pongs of WebSocket itself. The first charge that is refused ends the connection at once: the packet is not handled.
 *
 * Call it when the engine reports the connection (`io.engine.on('connection', …)`): handshakes count like the rest.
 * @param charge bytes are those of the payload, a packet's type included
 */
export function meterInbound(conn: Connection, charge: Charge): void {
  let refused = false;
  const arrived = (bytes: number): void => {
    // What was already read keeps coming until the connection is gone.
    if (refused || charge(1, bytes)) return;
    refused = true;
    dropConnection(conn);
  };
  const controlFrame = (data: Buffer) => arrived(data.length);
  conn.on('packet', ({ data }: { data?: string | ArrayBufferView }) => arrived(1 + sizeOf(data)));
  // A WebSocket is not upgraded any further, and each listener costs an idle connection a hundred bytes.
  if (conn.transport.name === 'websocket') followControlFrames(conn.transport, controlFrame);
  else conn.on('upgrade', (transport: Transport) => followControlFrames(transport, controlFrame));
}

function followControlFrames(transport: Transport, controlFrame: (data: Buffer) => void): void {
  if (transport.name !== 'websocket') return;
  const { socket } = transport as unknown as { socket: NodeJS.EventEmitter };
  socket.on('ping', controlFrame);
  socket.on('pong', controlFrame);
}

function sizeOf(data: string | ArrayBufferView | undefined): number {
  if (data === undefined) return 0;
  return typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength;
}
