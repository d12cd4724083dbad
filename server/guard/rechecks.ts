import type { Connection } from '../rooms/connection.ts';

export interface RecheckPorts {
  connectionsOf(userId: string): readonly Connection[];
  /** Has the connection's memberships follow what it may do. */
  follow(connection: Connection): Promise<void>;
  /** Runs a task in a later turn of the event loop. */
  soon(task: () => void): void;
}

/** So many of one user at once wait for answers that do not come; whoever asks then waits for one of them. */
const MOST_AT_ONCE = 16;

/**
 * Rechecks of users' access. The first of a user runs at once; those asked for while one is under way begin together in a later turn, so
 * that an `authorize` callback which has access rechecked asks for the next one only, and everything else goes on in between.
 */
export class Rechecks {
  readonly #ports: RecheckPorts;
  readonly #underWay = new Map<string, Set<Promise<void>>>();
  readonly #next = new Map<string, Promise<void>>();

  constructor(ports: RecheckPorts) {
    this.#ports = ports;
  }

  /**
   * Decides anew, past every cache, what a user's open sockets may do in their rooms.
   * @returns resolves when that was done by what held when this was called, or later
   */
  ask(userId: string): Promise<void> {
    const underWay = this.#underWay.get(userId);
    if (underWay === undefined) return this.#begin(userId);
    let next = this.#next.get(userId);
    if (next === undefined) {
      next = this.#turn(underWay).then(() => {
        this.#next.delete(userId);
        return this.#begin(userId);
      });
      this.#next.set(userId, next);
    }
    return next;
  }

  #turn(underWay: ReadonlySet<Promise<void>>): Promise<void> {
    return underWay.size < MOST_AT_ONCE ? new Promise((resolve) => this.#ports.soon(resolve)) : Promise.race(underWay);
  }

  async #begin(userId: string): Promise<void> {
    const underWay = this.#underWay.get(userId) ?? new Set();
    this.#underWay.set(userId, underWay);
    // Known as under way before it asks anybody, who may ask for the next one.
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    underWay.add(ended);
    try {
      await this.#recheck(userId);
    } finally {
      underWay.delete(ended);
      if (underWay.size === 0) this.#underWay.delete(userId);
      end();
    }
  }

  async #recheck(userId: string): Promise<void> {
    const own = this.#ports.connectionsOf(userId);
    for (const connection of own) connection.access.clear();
    await Promise.all(own.map((connection) => this.#ports.follow(connection)));
  }
}
