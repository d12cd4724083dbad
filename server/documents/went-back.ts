import type { Logger } from 'pino';
import type { Position } from '../../shared/position.ts';
import type { RoomName } from '../../shared/room-name.ts';
import type { Clock } from '../clock.ts';
import type { Room } from '../rooms/room.ts';
import type { Store } from '../storage/store.ts';
import { PositionSeal } from './position-seal.ts';

/** For so long others may bring back what a log lost. */
export const RESTORE_MS = 86_400_000;

export interface WentBackOptions {
  readonly clock: Clock;
  readonly store: Pick<Store, 'positionKey' | 'wentBack'>;
  readonly log: Pick<Logger, 'error'>;
}

/**
 * The documents whose log went back. A log goes back while no process has it, so that the time in which others may bring back what it lost
 * begins with the process.
 */
export class WentBack {
  /** Clients' positions are sealed with it. */
  readonly seal: PositionSeal;
  readonly #options: WentBackOptions;
  readonly #until: number;
  readonly #rooms = new Map<RoomName, boolean>();

  constructor(options: WentBackOptions) {
    this.#options = options;
    this.seal = new PositionSeal(options.store.positionKey);
    this.#until = options.clock.monotonic() + RESTORE_MS;
  }

  /** Whether what a document's log lacks may be brought back by any of its writers. */
  mayRestore(room: RoomName): boolean {
    return (this.#rooms.get(room) ?? this.#options.store.wentBack !== undefined) && this.#options.clock.monotonic() < this.#until;
  }

  /**
   * Takes a client's position as evidence.
   * @param position one that a server gave out, and that is not of the log as it is now
   */
  async show(room: Room, position: Position): Promise<void> {
    if (this.#rooms.get(room.name) || this.#options.clock.monotonic() >= this.#until) return;
    // Where the log has long come as far again, under another epoch, that was another time: what is shown now is an old proof.
    const [instead] = await room.store.read(room.name, { after: position.seq - 1, limit: 1 });
    if (instead !== undefined && instead.at <= this.#options.clock.now() - RESTORE_MS) return;
    if (this.#rooms.get(room.name)) return;
    this.#rooms.set(room.name, true);
    this.#options.log.error({ room: room.name, shown: position.seq, head: room.head.seq }, 'document:went-back');
  }

  /** The document begins anew: nothing of it was lost. */
  forget(room: RoomName): void {
    this.#rooms.set(room, false);
  }
}
