/** Waiting tasks by whom they are for: each gets a turn, however many another has waiting. */
export class FairQueue<Task> {
  /** In the order of their turns. */
  readonly #waiting = new Map<string, Task[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(owner: string, task: Task): void {
    const own = this.#waiting.get(owner);
    if (own === undefined) this.#waiting.set(owner, [task]);
    else own.push(task);
    this.#size += 1;
  }

  /** The next task: the oldest of whose turn it is. */
  shift(): Task | undefined {
    for (const [owner, own] of this.#waiting) {
      const task = own.shift() as Task;
      this.#waiting.delete(owner);
      // Behind all others.
      if (own.length > 0) this.#waiting.set(owner, own);
      this.#size -= 1;
      return task;
    }
    return undefined;
  }

  /** All that wait; none does afterwards. */
  drain(): Task[] {
    const all = [...this.#waiting.values()].flat();
    this.#waiting.clear();
    this.#size = 0;
    return all;
  }
}
