import type { Clock } from '../clock.ts';
import type { Room } from '../rooms/room.ts';
import type { EncodedPacket } from '../sockets/encode-packet.ts';
import type { AwarenessEntry } from './document-awareness.ts';
import { DocumentMember } from './document-member.ts';

/** In a document with more members than this what they show is gathered… */
const MOST_AT_ONCE = 50;
/** …for this long per member: a crowd that comes in or goes costs a document its members, not their square. */
const GATHER_MS_PER_MEMBER = 0.5;

/** On its way to the members of a document: what they show, and that they show nothing any more. */
export class ShownAwareness {
  readonly #room: Room;
  readonly #clock: Pick<Clock, 'after'>;
  readonly #encode: (entries: readonly AwarenessEntry[]) => EncodedPacket;
  /** The latest of each client id; null: nothing waits. */
  #gathered: Map<number, AwarenessEntry> | null = null;

  /** @param encode makes the packet of some entries */
  constructor(room: Room, clock: Pick<Clock, 'after'>, encode: (entries: readonly AwarenessEntry[]) => EncodedPacket) {
    this.#room = room;
    this.#clock = clock;
    this.#encode = encode;
  }

  /** Sends an entry to all but whose it is: at once, or in a while with those of others. */
  add(entry: AwarenessEntry): void {
    const { size } = this.#room.members;
    if (this.#gathered !== null) this.#gathered.set(entry.clientId, entry);
    else if (size <= MOST_AT_ONCE) this.#send(new Map([[entry.clientId, entry]]));
    else {
      const gathered = new Map([[entry.clientId, entry]]);
      this.#gathered = gathered;
      this.#clock.after(size * GATHER_MS_PER_MEMBER, () => {
        this.#gathered = null;
        this.#send(gathered);
      });
    }
  }

  /** Sends a member some entries, whatever its queue holds; but for its own, which only it changes. */
  sendTo(member: DocumentMember, told: readonly AwarenessEntry[]): void {
    const own = member.session?.clientId;
    const entries = told.filter((entry) => entry.clientId !== own);
    if (entries.length > 0 && !member.gone) member.connection.outbox.force(this.#encode(entries));
  }

  #send(entries: ReadonlyMap<number, AwarenessEntry>): void {
    const all = [...entries.values()];
    let shared: EncodedPacket | null = null;
    for (const member of this.#room.members.values()) {
      if (!(member instanceof DocumentMember)) continue;
      const own = member.session?.clientId;
      const others = own !== undefined && entries.has(own) ? all.filter(({ clientId }) => clientId !== own) : all;
      if (others.length === 0) continue;
      if (member.missedAwareness === null) {
        if (others === all) shared ??= this.#encode(all);
        const packet = others === all && shared !== null ? shared : this.#encode(others);
        if (member.connection.outbox.offer(packet) === 'sent') continue;
        member.missedAwareness = new Map();
        member.connection.outbox.whenDrained(() => this.sendTo(member, member.takeMissedAwareness()));
      }
      for (const entry of others) member.missedAwareness.set(entry.clientId, entry);
    }
  }
}
