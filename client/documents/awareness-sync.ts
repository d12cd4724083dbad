import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import { type Awareness, applyAwarenessUpdate, encodeAwarenessUpdate, removeAwarenessStates } from 'y-protocols/awareness';
import type { PublicUser } from '../../shared/user.ts';
import type { Environment } from '../environment.ts';
import { guarded, type Report } from '../report.ts';

// A cursor that moves sends its latest place at this pace.
const COALESCE_MS = 50;

export interface AwarenessPorts {
  send(update: Uint8Array): void;
  readonly env: Pick<Environment, 'after'>;
  readonly report: Report;
}

interface AwarenessChange {
  added: number[];
  updated: number[];
  removed: number[];
}

/** Presence in one document: our own state out, the others' in. */
export class AwarenessSync {
  readonly awareness: Awareness;
  readonly #ports: AwarenessPorts;
  readonly #onChange: (change: AwarenessChange, origin: unknown) => void;
  /** Whom others see us as; null: not in the room. */
  #user: PublicUser | null = null;
  #cancel: (() => void) | null = null;
  /** The last state that could be written as JSON: what others see, and see again after a reconnect. */
  #sendable: Uint8Array | null = null;

  constructor(awareness: Awareness, ports: AwarenessPorts) {
    this.awareness = awareness;
    this.#ports = ports;
    // The server takes a state out when its socket goes, and no renewals are sent: y-protocols' own 30 s timeout would remove
    // everyone who sits still.
    clearInterval(awareness._checkInterval);
    this.#onChange = (change, origin) => {
      if (origin === this) return;
      const own = awareness.clientID;
      if ([change.added, change.updated, change.removed].some((ids) => ids.includes(own))) this.#say();
    };
    awareness.on('change', this.#onChange);
  }

  /** In the room: our state is said again, whatever the server knew of it. */
  joined(user: PublicUser): void {
    this.#user = shownUser(user);
    if (this.awareness.getLocalState() !== null) this.#say();
  }

  /** Out of the room: whoever is left in our list would be a ghost. */
  left(): void {
    this.#user = null;
    this.#cancel?.();
    this.#cancel = null;
    const { awareness } = this;
    const others = [...awareness.getStates().keys()].filter((id) => id !== awareness.clientID);
    removeAwarenessStates(awareness, others, this);
    // Their clocks too: the next server may count from 1 again.
    for (const id of [...awareness.meta.keys()]) if (id !== awareness.clientID) awareness.meta.delete(id);
  }

  /** Present again after the local state was taken away. */
  reappear(user: PublicUser | null): void {
    this.awareness.setLocalState(user === null ? {} : { user: shownUser(user) });
  }

  receive(update: Uint8Array): void {
    if (this.#user !== null) applyAwarenessUpdate(this.awareness, withoutClient(update, this.awareness.clientID), this);
  }

  /** Follows a changed `doc.clientID`. */
  rename(clientId: number): void {
    const { awareness } = this;
    if (awareness.clientID === clientId) return;
    const state = awareness.getLocalState();
    removeAwarenessStates(awareness, [awareness.clientID], this);
    awareness.meta.delete(awareness.clientID);
    awareness.clientID = clientId;
    this.#sendable = null;
    awareness.setLocalState(state);
  }

  close(): void {
    this.left();
    this.awareness.off('change', this.#onChange);
  }

  #say(): void {
    if (this.#user === null) return;
    // What the server writes over it anyway: bindings read name and color here, and write what their page was given, also long after the join. The
    // same again is no change.
    this.awareness.setLocalStateField('user', this.#user);
    this.#cancel ??= this.#ports.env.after(COALESCE_MS, () => {
      this.#cancel = null;
      const { awareness } = this;
      guarded(this.#ports.report, 'awareness state, not sent', () => {
        if (awareness.meta.has(awareness.clientID)) this.#sendable = encodeAwarenessUpdate(awareness, [awareness.clientID]);
      });
      if (this.#sendable !== null) this.#ports.send(this.#sendable);
    });
  }
}

function shownUser({ id, name, color }: PublicUser): PublicUser {
  return { id, name, color };
}

/** An awareness update without one client's state: nobody tells us our own. */
export function withoutClient(update: Uint8Array, clientId: number): Uint8Array {
  const decoder = decoding.createDecoder(update);
  const kept = encoding.createEncoder();
  let others = 0;
  for (let left = decoding.readVarUint(decoder); left > 0; left--) {
    const id = decoding.readVarUint(decoder);
    const clock = decoding.readVarUint(decoder);
    const state = decoding.readVarString(decoder);
    if (id === clientId) continue;
    others++;
    encoding.writeVarUint(kept, id);
    encoding.writeVarUint(kept, clock);
    encoding.writeVarString(kept, state);
  }
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, others);
  encoding.writeUint8Array(encoder, encoding.toUint8Array(kept));
  return encoding.toUint8Array(encoder);
}
