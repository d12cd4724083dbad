import { EventEmitter } from 'node:events';
import { currentWorld } from './current-world.ts';
import type { Owner, World } from './world.ts';

type Faults = { dies: number; hangs: number };

/** How often a worker dies or hangs in the middle of a job. */
export const workerFaults: Faults = { dies: 0, hangs: 0 };

/** What the code of a document worker takes for its port: it runs in this thread, one job at a time. */
class WorkerPort extends EventEmitter {
  answered: unknown = null;

  postMessage(answer: unknown): void {
    this.answered = answer;
  }
}

export const workerPort = new WorkerPort();

/** In the place of a thread: the same code, called after a while, with copies of what is posted. */
export class InlineWorker extends EventEmitter {
  readonly #world: World = currentWorld();
  readonly #owner: Owner = this.#world.owner;
  #ended = false;

  constructor() {
    super();
    this.#later(this.#world.between(1, 40), () => this.emit('message', 'ready'));
  }

  postMessage(message: unknown): void {
    const copy = structuredClone(message);
    if (this.#world.maybe(workerFaults.hangs)) return;
    this.#later(this.#world.between(0, 30), () => {
      if (this.#world.maybe(workerFaults.dies)) {
        this.#ended = true;
        this.emit('exit', 1);
        return;
      }
      workerPort.emit('message', copy);
      const answer = structuredClone(workerPort.answered);
      this.#later(this.#world.between(0, 5), () => this.emit('message', answer));
    });
  }

  ref(): void {}
  unref(): void {}

  terminate(): Promise<number> {
    if (!this.#ended) {
      this.#ended = true;
      this.#world.schedule(0, this.#owner, 'worker exit', () => this.emit('exit', 1));
    }
    return Promise.resolve(1);
  }

  #later(ms: number, task: () => void): void {
    this.#world.schedule(ms, this.#owner, 'worker', () => {
      if (!this.#ended) task();
    });
  }
}
