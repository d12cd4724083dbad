import { Decoder, Encoder, PacketType } from 'socket.io-parser';
import { AshlarError } from '../../shared/errors.ts';
import type { Clock } from '../clock.ts';
import { nestsDeeperThan } from './json-depth.ts';

export interface ParserLimits {
  /** Binary attachments that one packet may announce. */
  maxAttachments: number;
  /** After this time without all of a packet's attachments the connection is closed, ms. */
  attachmentTimeoutMs: number;
  /** Levels of arrays and objects in a packet's JSON. */
  maxJsonDepth: number;
}

/** What Socket.IO takes as its `parser`: it makes one encoder per server and one decoder per connection, both without arguments. */
export interface Parser {
  readonly Encoder: new () => Encoder;
  readonly Decoder: new () => Decoder;
}

/**
 * The stock parser with bounds on what a peer may make us hold: the bytes on the wire, and every packet within the bounds, are
 * those of socket.io-parser. Anything beyond them makes Socket.IO close the connection, as any packet it cannot read.
 */
export function createBoundedParser(limits: ParserLimits, clock: Clock): Parser {
  class BoundedDecoder extends Decoder {
    #awaited = 0;
    #announcedAt = 0;
    #cancelDeadline: (() => void) | undefined;

    constructor() {
      super({ maxAttachments: limits.maxAttachments });
    }

    /** @throws AshlarError `malformed-frame`; Socket.IO closes the connection then, as for errors of the stock parser */
    override add(packet: unknown): void {
      if (typeof packet !== 'string') {
        super.add(packet);
        this.#awaited--;
        return;
      }
      if (nestsDeeperThan(packet, limits.maxJsonDepth)) {
        throw new AshlarError('malformed-frame', { detail: `JSON nested deeper than ${limits.maxJsonDepth}` });
      }
      const type = packet.charCodeAt(0) - 48;
      // The stock parser takes a bare `2` for an event without a name, and dispatches it.
      if (type === PacketType.EVENT && !packet.includes('[')) {
        throw new AshlarError('malformed-frame', { detail: 'an event without a name' });
      }
      super.add(packet);
      if (type === PacketType.BINARY_EVENT || type === PacketType.BINARY_ACK) {
        this.#awaited = Number(packet.slice(1, packet.indexOf('-')));
        this.#announcedAt = clock.monotonic();
        if (this.#cancelDeadline === undefined) this.#armDeadline(limits.attachmentTimeoutMs);
      }
    }

    override destroy(): void {
      this.#cancelDeadline?.();
      this.#cancelDeadline = undefined;
      this.#awaited = 0;
      super.destroy();
    }

    // One timer for many packets, not one per packet: attachments normally come with the same read, and this is the hot path.
    #armDeadline(ms: number): void {
      this.#cancelDeadline = clock.after(ms, () => {
        this.#cancelDeadline = undefined;
        if (this.#awaited <= 0) return;
        const remaining = this.#announcedAt + limits.attachmentTimeoutMs - clock.monotonic();
        if (remaining > 0) this.#armDeadline(remaining);
        // A decoder does not know its connection; a packet for a namespace that no client can be in makes Socket.IO close it.
        else this.emitReserved('decoded', { type: PacketType.DISCONNECT, nsp: '' });
      });
    }
  }
  return { Encoder, Decoder: BoundedDecoder };
}
