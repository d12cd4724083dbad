import crypto from 'node:crypto';
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import perfHooks from 'node:perf_hooks';
import timers from 'node:timers';
import workerThreads from 'node:worker_threads';
import { connectThrough, currentWorld, worldNow } from './current-world.ts';
import { InlineWorker, workerPort } from './inline-worker.ts';

/** What stays real. */
export interface RealTimers {
  /** Resolves once every promise and tick that is due has run. */
  settle(): Promise<void>;
}

/** A timer's handle, as far as anybody uses it. */
class SimulatedTimer {
  #cancel: () => void = () => {};
  readonly #ms: number;
  readonly #task: () => void;
  readonly #again: boolean;
  readonly #owner;

  constructor(task: () => void, ms: number, again: boolean) {
    this.#task = task;
    // As Node: at least 1 ms, and beyond 2^31 - 1 at once.
    this.#ms = ms >= 1 && ms <= 2 ** 31 - 1 ? ms : 1;
    this.#again = again;
    this.#owner = currentWorld().owner;
    this.refresh();
  }

  refresh(): this {
    this.#cancel();
    const source = currentWorld();
    this.#cancel = source.schedule(this.#ms, this.#owner, `timer of ${Math.round(this.#ms)} ms`, () => {
      if (this.#again) this.refresh();
      this.#task();
    });
    return this;
  }

  close(): this {
    this.#cancel();
    this.#cancel = () => {};
    return this;
  }

  ref = (): this => this;
  unref = (): this => this;
  hasRef = (): boolean => true;
}

/**
 * Puts the process's clock, timers, chance, outgoing connections and worker threads under the world's command. Once, and before anything
 * of the product or its libraries is loaded: some keep what they found at their start.
 */
export function installGlobals(): RealTimers {
  const { setTimeout: realTimeout, clearTimeout: realClear, setImmediate: realImmediate } = globalThis;
  const realNow = Date.now;
  const realMonotonic = performance.now.bind(performance);
  const realRandomBytes = crypto.randomBytes;

  const arm =
    (again: boolean) =>
    (task: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
      worldNow() === null ? realTimeout(task, ms, ...args) : new SimulatedTimer(() => task(...args), ms, again);
  const disarm = (handle: unknown) => {
    if (handle instanceof SimulatedTimer) handle.close();
    else realClear(handle as NodeJS.Timeout);
  };
  const immediate = (task: (...args: unknown[]) => void, ...args: unknown[]) => {
    const world = worldNow();
    if (world === null) return realImmediate(task, ...args);
    return { cancel: world.schedule(0, world.owner, 'immediate', () => task(...args)), ref() {}, unref() {} };
  };
  const clearOne = (handle: unknown) => (handle as { cancel?: () => void } | undefined)?.cancel?.();
  const replaced = {
    setTimeout: arm(false),
    setInterval: arm(true),
    setImmediate: immediate,
    clearTimeout: disarm,
    clearInterval: disarm,
    clearImmediate: clearOne,
  };
  Object.assign(globalThis, replaced);
  Object.assign(timers, replaced);
  Date.now = () => worldNow()?.now() ?? realNow();
  performance.now = () => worldNow()?.elapsed ?? realMonotonic();
  const realRandom = Math.random;
  Math.random = () => worldNow()?.chance('number') ?? realRandom();

  const fill = (view: ArrayBufferView, use: string): void => {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    for (let index = 0; index < bytes.length; index++) bytes[index] = Math.floor(currentWorld().chance(use) * 256);
  };
  Object.assign(crypto, {
    // With a callback: Socket.IO fills a pool for its ids, which outlives a world, and no id decides anything.
    randomBytes: (size: number, done?: (error: Error | null, bytes: Buffer) => void) => {
      if (worldNow() === null || done !== undefined)
        return done === undefined ? realRandomBytes(size) : realRandomBytes(size, done);
      const bytes = Buffer.alloc(size);
      fill(bytes, `${size} bytes`);
      return bytes;
    },
  });
  const realValues = crypto.webcrypto.getRandomValues.bind(crypto.webcrypto);
  Object.defineProperty(crypto.webcrypto, 'getRandomValues', {
    value: (view: ArrayBufferView) => {
      if (worldNow() === null) return realValues(view as Uint8Array);
      fill(view, 'web');
      return view;
    },
  });
  // What `ws` opens its connections with, by way of an agent of its own.
  Object.assign(http.Agent.prototype, { createConnection: connectThrough });
  perfHooks.monitorEventLoopDelay = (() => ({
    enable: () => true,
    disable: () => true,
    reset() {},
    percentile: () => 0,
    mean: 0,
    max: 0,
  })) as unknown as typeof perfHooks.monitorEventLoopDelay;
  Object.assign(workerThreads, { Worker: InlineWorker, parentPort: workerPort });
  syncBuiltinESMExports();
  return { settle: () => new Promise((resolve) => realImmediate(resolve)) };
}
