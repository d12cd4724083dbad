import { type Readable, type Writable, type WritableOptions, writable } from './readable.ts';
import { reportToConsole } from './report.ts';

/**
 * A value that is kept up to date only while somebody subscribes: making one does nothing, so that a component may, as often as it
 * renders. It stops a microtask after the last subscriber went: one that goes and comes back at once (React's StrictMode, a
 * changed list of children) interrupts nothing.
 * @param start called when the first subscriber comes; what it returns, when all have gone
 */
export function watched<Value>(
  initial: Value,
  start: (store: Writable<Value>) => () => void,
  options: Pick<WritableOptions<Value>, 'same'> = {},
): Writable<Value> {
  const store = writable(initial, reportToConsole, options);
  let subscribers = 0;
  let stop: (() => void) | null = null;
  const stopIfAlone = (): void => {
    if (subscribers > 0) return;
    stop?.();
    stop = null;
  };
  return {
    get: store.get,
    set: store.set,
    subscribe(listener) {
      const unsubscribe = store.subscribe(listener);
      subscribers++;
      try {
        stop ??= start(store);
      } catch (error) {
        unsubscribe();
        subscribers--;
        throw error;
      }
      let here = true;
      return () => {
        if (!here) return;
        here = false;
        unsubscribe();
        subscribers--;
        queueMicrotask(stopIfAlone);
      };
    },
  };
}

/** Another's value, with a subscription to it that outlives one that goes and comes back at once. */
export function relayed<Value>(source: Readable<Value>): Readable<Value> {
  return watched(source.get(), (store) => {
    const stop = source.subscribe(store.set);
    store.set(source.get());
    return () => {
      stop();
      store.set(source.get());
    };
  });
}

/** A value that never changes. */
export function constant<Value>(value: Value): Readable<Value> {
  return { get: () => value, subscribe: () => () => {} };
}
