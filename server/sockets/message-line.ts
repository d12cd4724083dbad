// Each costs up to a fifth of a millisecond: everybody else waits some 10 ms at most for what one connection sends in one write.
const PER_TURN = 64;

/** Counts the turns of the event loop in which something is received. One for all connections of a server. */
export class Turns {
  readonly #soon: (callback: () => void) => void;
  #number = 1;
  #isMarked = false;

  /** @param soon calls back in the next turn, in the order of the calls: `setImmediate` */
  constructor(soon: (callback: () => void) => void) {
    this.#soon = soon;
  }

  /** The turn that it is now. */
  get current(): number {
    if (!this.#isMarked) {
      this.#isMarked = true;
      this.#soon(() => {
        this.#isMarked = false;
        this.#number += 1;
      });
    }
    return this.#number;
  }

  next(callback: () => void): void {
    this.#soon(callback);
  }
}

/**
 * The messages of one connection on their way to their handler, in order. A few go at once; what is more than that of one read goes on in
 * the next turns of the event loop: a minute's budget sent in one write holds up nobody else. What waits is bounded by the budgets
 * of packets and bytes, which were charged on arrival.
 */
export class MessageLine<Message> {
  readonly #turns: Turns;
  readonly #handle: (message: Message) => void;
  #turn = 0;
  #handled = 0;
  #waiting: Message[] | null = null;

  /** @param handle must not throw */
  constructor(turns: Turns, handle: (message: Message) => void) {
    this.#turns = turns;
    this.#handle = handle;
  }

  take(message: Message): void {
    if (this.#waiting !== null) this.#waiting.push(message);
    else if (this.#mayHandle()) this.#handle(message);
    else {
      this.#waiting = [message];
      this.#turns.next(() => this.#goOn());
    }
  }

  /** The connection has ended: what waits is forgotten. */
  close(): void {
    this.#waiting = null;
  }

  #mayHandle(): boolean {
    const { current } = this.#turns;
    if (this.#turn !== current) {
      this.#turn = current;
      this.#handled = 0;
    }
    this.#handled += 1;
    return this.#handled <= PER_TURN;
  }

  #goOn(): void {
    const waiting = this.#waiting ?? [];
    let next = 0;
    // A message may end its connection.
    while (this.#waiting !== null && next < waiting.length && this.#mayHandle()) {
      this.#handle(waiting[next] as Message);
      next += 1;
    }
    if (this.#waiting === null) return;
    this.#waiting = next < waiting.length ? waiting.slice(next) : null;
    if (this.#waiting !== null) this.#turns.next(() => this.#goOn());
  }
}
