import type { Socket } from 'socket.io';
import { dropConnection } from './drop-connection.ts';
import { onUpgradeAsked } from './upgrade-asked.ts';

type Connection = Socket['conn'];
type Transport = Connection['transport'];

/** What engine.io's transports have and their types hide. */
interface Receiver {
  onPacket(packet: { readonly data?: string | ArrayBufferView }): void;
}

/** Whether a sender may go on after so many packets and bytes more. */
export type Charge = (packets: number, bytes: number) => boolean;

/**
 * Charges everything that arrives on a connection before anything else looks at it: messages, acks, pongs, and the pings and
 * pongs of WebSocket itself. The first charge that is refused ends the connection at once: the packet is not handled.
 *
 * What arrives where nobody listens is charged like the rest: on a WebSocket that has yet to take over from long-polling, and on a transport
 * that was closed politely, which is read on until its peer has answered. Three peers that sent there as fast as they could held the event loop
 * for a third of a second, over and over.
 *
 * Call it when the engine reports the connection (`io.engine.on('connection', …)`): handshakes count like the rest.
 * @param charge bytes are those of the payload, a packet's type included
 */
export function meterInbound(conn: Connection, charge: Charge): void {
  const follow = (transport: Transport): void => {
    let refused = false;
    const passes = (bytes: number): boolean => {
      // What was already read keeps coming until the connection is gone.
      if (refused) return false;
      if (charge(1, bytes)) return true;
      refused = true;
      dropConnection(conn, transport);
      return false;
    };
    // In front of the engine's listeners and not among them: it takes its own off where it is done, and must not go on where we end it.
    const receiver = transport as unknown as Receiver;
    const onPacket = receiver.onPacket.bind(transport);
    receiver.onPacket = (packet) => {
      if (passes(1 + sizeOf(packet.data))) onPacket(packet);
    };
    followControlFrames(transport, (data) => void passes(data.length));
  };
  follow(conn.transport);
  // A WebSocket is not upgraded any further, and each listener costs an idle connection a hundred bytes.
  if (conn.transport.name !== 'websocket') onUpgradeAsked(conn, follow);
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
