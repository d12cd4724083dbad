import { type Readable, type Writable, writable } from './readable.ts';
import { reportToConsole } from './report.ts';
import { shallowEqual } from './snapshot.ts';

/** To be called for those that are about to stop. */
const ending = /* @__PURE__ */ new Set<() => void>();

/**
 * A value that is kept up to date only while somebody subscribes: making one does nothing, so that a component may, as often as it
 * renders. It stops a microtask after the last subscriber went: one that goes and comes back at once (React's StrictMode, a
 * changed list of children) interrupts nothing. A value that is `shallowEqual` to the one before is none.
 * @param start called when the first subscriber comes; what it returns is called, in this order, when all have gone. Where it throws with
 * `isFirst`, it is called once more when those that are about to stop have
 */
export function watched<Value>(
  initial: Value,
  start: (store: Writable<Value>, isFirst?: boolean) => readonly (() => void)[],
): Writable<Value> {
  const store = writable(initial, reportToConsole, { same: shallowEqual });
  let subscribers = 0;
  let stops: readonly (() => void)[] | null = null;
  const stopIfAlone = (): void => {
    ending.delete(stopIfAlone);
    if (subscribers > 0) return;
    const stopping = stops ?? [];
    stops = null;
    for (const stop of stopping) stop();
  };
  return {
    ...store,
    subscribe(listener) {
      const unsubscribe = store.subscribe(listener);
      subscribers++;
      let here = true;
      const leave = (): void => {
        if (!here) return;
        here = false;
        unsubscribe();
        subscribers--;
        ending.add(stopIfAlone);
        queueMicrotask(stopIfAlone);
      };
      try {
        stops ??= start(store, true);
      } catch {
        // What it needs may be held by one that is about to stop: a component that was given other options.
        for (const end of ending) end();
        try {
          stops ??= start(store);
        } catch (error) {
          leave();
          throw error;
        }
      }
      return leave;
    },
  };
}

/** Another's value, with a subscription to it that outlives one that goes and comes back at once. */
export function relayed<Value>(source: Readable<Value>): Readable<Value> {
  return watched(source.get(), (store) => {
    const renew = (): void => store.set(source.get());
    const stop = source.subscribe(renew);
    renew();
    return [stop, renew];
  });
}
