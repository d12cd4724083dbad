import { createHash } from 'node:crypto';
import type { RealTimers } from './install-globals.ts';

/** Whose turn it is: a process of the server, a page. What it schedules dies with it. */
export interface Owner {
  readonly name: string;
  dead: boolean;
}

interface Scheduled {
  at: number;
  order: number;
  readonly owner: Owner;
  readonly task: () => void;
  cancelled: boolean;
  readonly what: string;
}

/** A rule of the model that did not hold. */
export class Violation extends Error {}

const START = Date.UTC(2026, 0, 1);
const KEPT_LINES = 2_000;

/**
 * Time, chance and order of everything that happens, out of one seed. Each thing that happens is an event of one owner; it runs to its end
 * (promises and ticks too) before the next one begins.
 */
export class World {
  readonly seed: number;
  readonly outside: Owner = { name: 'world', dead: false };
  readonly #real: RealTimers;
  readonly #queue: Scheduled[] = [];
  readonly #hash = createHash('sha256');
  readonly #lines: string[] = [];
  /** Violations and what else went wrong: the first ends the run. */
  readonly failures: Error[] = [];
  /** How many events have run: an order for "before" and "after". */
  events = 0;
  owner: Owner;
  elapsed = 0;
  wallOffset = 0;
  #order = 0;
  #random: number;
  readonly #chances = new Map<string, number>();

  constructor(seed: number, real: RealTimers) {
    this.seed = seed;
    this.owner = this.outside;
    this.#real = real;
    this.#random = seed >>> 0;
  }

  now(): number {
    return START + this.elapsed + this.wallOffset;
  }

  /** For the simulation's own decisions, in [0, 1). The product's chance is another stream. */
  random(): number {
    this.#random = (this.#random + 0x6d2b79f5) >>> 0;
    return mix(this.#random);
  }

  /** The product's `Math.random` and random bytes: a stream per use, so that what one library keeps for later moves no other. */
  chance(use: string): number {
    const state = ((this.#chances.get(use) ?? this.seed ^ 0x5bd1e995) + 0x6d2b79f5) >>> 0;
    this.#chances.set(use, state);
    return mix(state);
  }

  int(below: number): number {
    return Math.floor(this.random() * below);
  }

  between(low: number, high: number): number {
    return low + this.random() * (high - low);
  }

  pick<Value>(values: readonly Value[]): Value {
    return values[this.int(values.length)] as Value;
  }

  maybe(probability: number): boolean {
    return this.random() < probability;
  }

  /** Runs `task` later as `owner`; the returned function cancels. */
  schedule(ms: number, owner: Owner, what: string, task: () => void): () => void {
    const scheduled = { at: this.elapsed + Math.max(0, ms), order: this.#order++, owner, task, cancelled: false, what };
    push(this.#queue, scheduled);
    return () => {
      scheduled.cancelled = true;
    };
  }

  /** Resolves after `ms`, as the present owner. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.schedule(ms, this.owner, 'wait', resolve);
    });
  }

  /** Runs what falls due until `until` (simulated ms), or until `done` says so. */
  async runUntil(until: number, done: () => boolean = () => false): Promise<void> {
    while (this.failures.length === 0 && !done()) {
      const next = this.#queue[0];
      if (next === undefined || next.at > until) break;
      pop(this.#queue);
      if (next.cancelled || next.owner.dead) continue;
      this.elapsed = Math.max(this.elapsed, next.at);
      await this.turn(next.owner, next.task);
    }
    if (this.failures.length > 0) throw this.failures[0];
    if (!done()) this.elapsed = Math.max(this.elapsed, until);
  }

  /** One event: a task and all promises and ticks that follow from it. */
  async turn(owner: Owner, task: () => void): Promise<void> {
    this.owner = owner;
    this.events += 1;
    try {
      task();
    } catch (error) {
      this.fail(error);
    }
    await this.#real.settle();
    this.owner = this.outside;
  }

  /** What is still armed, by owner and name. */
  pending(): string[] {
    return this.#queue.filter((one) => !one.cancelled && !one.owner.dead).map(({ owner, what }) => `${owner.name}: ${what}`);
  }

  trace(line: string): void {
    const full = `${(this.elapsed / 1_000).toFixed(3)} ${this.owner.name} ${line}`;
    this.#hash.update(full).update('\n');
    this.#lines.push(full);
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
  }

  fail(error: unknown): void {
    this.failures.push(error instanceof Error ? error : new Error(String(error)));
  }

  violate(rule: string): void {
    this.trace(`VIOLATION ${rule}`);
    this.fail(new Violation(rule));
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 16);
  }
}

/** mulberry32's mixing. */
function mix(state: number): number {
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}

function before(a: Scheduled, b: Scheduled): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

// A binary heap: thousands of timers are armed and cancelled per seed.
function push(heap: Scheduled[], item: Scheduled): void {
  let at = heap.push(item) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!before(item, heap[parent] as Scheduled)) break;
    heap[at] = heap[parent] as Scheduled;
    at = parent;
  }
  heap[at] = item;
}

function pop(heap: Scheduled[]): void {
  const last = heap.pop() as Scheduled;
  if (heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1] as Scheduled, heap[child] as Scheduled)) child += 1;
    if (!before(heap[child] as Scheduled, last)) break;
    heap[at] = heap[child] as Scheduled;
    at = child;
  }
  heap[at] = last;
}
