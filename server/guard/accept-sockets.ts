import type { Server, Socket } from 'socket.io';
import { PROTOCOL_VERSION } from '../../shared/document-frame.ts';
import { AshlarError, invariant } from '../../shared/errors.ts';
import type { SessionAnnouncement } from '../../shared/messages.ts';
import type { RoomName } from '../../shared/room-name.ts';
import type { Clock } from '../clock.ts';
import type { Limits } from '../options.ts';
import { Connection } from '../rooms/connection.ts';
import { dropConnection } from '../sockets/drop-connection.ts';
import { forgetHandshake } from '../sockets/forget-handshake.ts';
import { meterInbound } from '../sockets/inbound-meter.ts';
import { MessageLine, Turns } from '../sockets/message-line.ts';
import { createOutbox } from '../sockets/outbox.ts';
import type { AddressLimiter } from './address-limiter.ts';
import { type Authenticate, monotonicEnd, type Principal } from './authenticate.ts';
import { type Authorizer, createAccessCache } from './authorize.ts';
import { createSocketBudgets, type SocketBudgets, type UserBudgets } from './budgets.ts';
import type { ClientAddress } from './client-address.ts';
import type { Guard } from './guard.ts';

// A sender that owes more than this is no longer asked to wait but cut off.
const MOST_DEBT_MS = 10_000;

export interface AcceptPorts {
  readonly guard: Guard;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly authenticate: Authenticate;
  readonly authorizer: Authorizer;
  readonly addresses: AddressLimiter;
  readonly clientAddress: ClientAddress;
  readonly userBudgets: UserBudgets;
  /** `autoJoin`: the client expects to be put into its standing rooms. */
  connected(connection: Connection, autoJoin: boolean, address: string): void;
  /**
   * @param reason Socket.IO's
   * @param unreadable why Socket.IO closed it, where that was a packet that cannot be read: nothing could be answered
   */
  disconnected(connection: Connection, reason: string, unreadable: AshlarError | undefined): void;
  refused(address: string, error: AshlarError): void;
  /** Calls back in the next turn of the event loop, in the order of the calls. */
  soon(callback: () => void): void;
}

/** A connection on its way to become a socket. */
interface Arrival {
  readonly address: string;
  readonly budgets: SocketBudgets;
  /** Whom its CONNECT was accepted for. */
  principal: Principal | null;
}

/** Where sockets come in: the only place that listens to them, so that nothing reaches a handler but through the guard. */
export function acceptSockets(io: Server, ports: AcceptPorts): void {
  const arrivals = new WeakMap<Socket['conn'], Arrival>();
  const turns = new Turns(ports.soon);
  const arrivalOf = (conn: Socket['conn']): Arrival => {
    const arrival = arrivals.get(conn);
    invariant(arrival !== undefined, 'a connection is metered from its start');
    return arrival;
  };

  io.engine.on('connection', (conn: Socket['conn']) => {
    const own = createSocketBudgets(ports.limits, ports.clock, ports.userBudgets);
    const address = addressOf(ports, conn.request);
    arrivals.set(conn, { address, budgets: own, principal: null });
    conn.on('close', ports.addresses.opened(address));
    meterInbound(conn, (packets, bytes) => {
      if (!own.take('packets', packets).ok) return false;
      const taken = own.take('bytes', bytes);
      if (taken.ok) return true;
      // Beyond its budget an honest client is told to wait, by the message's handler; one that goes on regardless is cut off.
      own.spend('bytes', bytes);
      return taken.retryAfterMs < MOST_DEBT_MS;
    });
  });

  // Socket.IO puts each socket into a room of its own, in two sets: the rooms here are ours, and nobody sends by Socket.IO's.
  io.sockets.adapter.addAll = () => undefined;

  io.use((socket, next) => {
    const arrival = arrivalOf(socket.conn);
    const { address } = arrival;
    try {
      // One CONNECT per connection: several in one read would each become a socket.
      if (arrival.principal !== null) throw new AshlarError('unknown-message', { detail: 'one CONNECT per connection' });
      const allowed = ports.addresses.check(address);
      if (!allowed.ok) throw new AshlarError('rate-limited', { retryAfterMs: allowed.retryAfterMs });
      checkProtocol(socket.handshake.auth.protocol);
      arrival.principal = ports.authenticate(socket.handshake.auth.token);
      next();
    } catch (thrown) {
      const error = AshlarError.from(thrown, 'invalid-token');
      ports.addresses.refused(address);
      ports.refused(address, error);
      const wire = error.toWire();
      next(Object.assign(new Error(wire.message), { data: wire }));
    }
  });

  io.on('connection', (socket) => {
    const { address, budgets, principal } = arrivalOf(socket.conn);
    if (principal === null) {
      socket.disconnect(true);
      return;
    }
    budgets.belongTo(principal.user.id);
    const connection = new Connection(
      {
        id: socket.id,
        outbox: createOutbox(socket, { capBytes: ports.limits.queueBytes }),
        close: () => socket.disconnect(true),
      },
      principal.user,
      { at: principal.expiresAt, monotonic: monotonicEnd(principal, ports.clock) },
      createAccessCache(ports.authorizer, principal.user),
      budgets,
    );
    const line = new MessageLine<readonly unknown[]>(turns, (packet) =>
      ports.guard.receive(connection, boundAnswer(packet, connection)),
    );
    // `next` is never called: no message goes on to listeners, and there are none.
    socket.use((packet) => line.take(packet));
    // A packet that cannot be read, told once: Socket.IO ends the connection then. Without a listener it would print it to stderr.
    socket.on('error', noteUnreadable);
    socket.on('disconnect', (reason) => {
      line.close();
      ports.disconnected(connection, reason, unreadable.get(socket));
      // A connection that has left its one namespace has nothing more to say, and no timeout covers it.
      if (reason === 'client namespace disconnect') dropConnection(socket.conn);
    });
    announce(connection, ports.limits);
    const autoJoin = socket.handshake.auth.autoJoin !== false;
    forgetHandshake(socket);
    ports.connected(connection, autoJoin, address);
  });
}

const unreadable = new WeakMap<Socket, AshlarError>();

/** The parser's own sentences, which hold nothing of the packet. One listener for all sockets: each closure costs an idle connection. */
function noteUnreadable(this: Socket, error: Error): void {
  const known =
    error instanceof AshlarError ? error : new AshlarError('malformed-frame', { detail: error.message, cause: error });
  unreadable.set(this, known);
}

// Answers are the one thing that Socket.IO writes past the outbox, and a few bytes may ask for megabytes.
function boundAnswer(packet: readonly unknown[], { outbox }: Connection): readonly unknown[] {
  const ack: unknown = packet[packet.length - 1];
  if (typeof ack !== 'function') return packet;
  return [
    ...packet.slice(0, -1),
    (answer: object, content?: RoomName) => {
      outbox.closeIfStuck();
      if (content === undefined) ack(answer);
      else outbox.asContentOf(content, () => ack(answer));
    },
  ];
}

function announce(connection: Connection, limits: Limits): void {
  const { id, name, color, roles, permissions } = connection.user;
  const session: SessionAnnouncement = {
    user: { id, name, color, roles, permissions },
    protocol: PROTOCOL_VERSION,
    expiresAt: connection.expiresAt,
    limits: { frameBytes: limits.frameBytes, updateBytes: limits.updateBytes, rooms: limits.roomsPerSocket },
  };
  connection.tell('session', session);
}

function addressOf(ports: AcceptPorts, request: Socket['request']): string {
  return ports.clientAddress(request.socket.remoteAddress, request.headers['x-forwarded-for']);
}

function checkProtocol(version: unknown): void {
  if (version === undefined) return;
  if (typeof version !== 'number' || version > PROTOCOL_VERSION) throw new AshlarError('protocol-too-new');
  if (version < PROTOCOL_VERSION) throw new AshlarError('protocol-too-old');
}
