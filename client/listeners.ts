import { guarded, type Report } from './report.ts';

/** Listeners by event name; one that throws is reported, and the others are still called. */
export class Listeners<Events extends { [Name in keyof Events]: readonly unknown[] }> {
  readonly #byName = new Map<keyof Events, Set<unknown>>();
  readonly #report: Report;

  constructor(report: Report) {
    this.#report = report;
  }

  /** @returns a function that removes the listener */
  on<Name extends keyof Events>(name: Name, listener: (...args: Events[Name]) => void): () => void {
    const set = this.#byName.get(name) ?? new Set();
    this.#byName.set(name, set);
    set.add(listener);
    return () => this.off(name, listener);
  }

  /** Removes one listener, or all of the name. */
  off<Name extends keyof Events>(name: Name, listener?: (...args: Events[Name]) => void): void {
    if (listener === undefined) this.#byName.delete(name);
    else this.#byName.get(name)?.delete(listener);
  }

  clear(): void {
    this.#byName.clear();
  }

  has<Name extends keyof Events>(name: Name, listener?: (...args: Events[Name]) => void): boolean {
    const set = this.#byName.get(name);
    return set !== undefined && (listener === undefined ? set.size > 0 : set.has(listener));
  }

  emit<Name extends keyof Events>(name: Name, ...args: Events[Name]): void {
    for (const listener of [...(this.#byName.get(name) ?? [])]) {
      if (!this.#byName.get(name)?.has(listener)) continue;
      guarded(this.#report, `listener of ${String(name)}`, () => (listener as (...args: Events[Name]) => void)(...args));
    }
  }
}
