import { guarded, type Report } from './report.ts';

/**
 * A value that changes, for React's `useSyncExternalStore`, Svelte, Vue and plain code alike. A snapshot keeps its identity
 * until it changes.
 */
export interface Readable<Value> {
  get(): Value;
  /** Calls `listener` with each new value, not with the present one. The returned function ends that. */
  subscribe(listener: (value: Value) => void): () => void;
}

/** A `Readable` with its owner's side. */
export interface Writable<Value> extends Readable<Value> {
  set(value: Value): void;
}

export interface WritableOptions<Value> {
  /** When a new value counts as the same. Default `Object.is`. */
  same?: (left: Value, right: Value) => boolean;
  /** Called when the first listener comes; what it returns, when the last has gone. */
  onFirst?: () => () => void;
}

/** For `same`, where values are plain data. */
export function sameJson(left: unknown, right: unknown): boolean {
  return left === right || JSON.stringify(left) === JSON.stringify(right);
}

export function writable<Value>(initial: Value, report: Report, options: WritableOptions<Value> = {}): Writable<Value> {
  const same = options.same ?? Object.is;
  const listeners = new Set<{ call: (value: Value) => void }>();
  let value = initial;
  let onLast: (() => void) | undefined;
  return {
    get: () => value,
    set(next) {
      if (same(value, next)) return;
      value = next;
      for (const listener of [...listeners]) {
        if (listeners.has(listener)) guarded(report, 'listener', () => listener.call(next));
      }
    },
    subscribe(call) {
      // An object of its own per subscription: the same function may subscribe twice.
      const listener = { call };
      listeners.add(listener);
      if (listeners.size === 1) onLast = options.onFirst?.();
      return () => {
        if (listeners.delete(listener) && listeners.size === 0) onLast?.();
      };
    },
  };
}
