import type { Readable } from '../../client/index.ts';

/** Resolves once a readable's value passes; the test's own timeout ends a wait in vain. */
export function until<Value>(readable: Readable<Value>, passes: (value: Value) => boolean): Promise<Value> {
  const value = readable.get();
  if (passes(value)) return Promise.resolve(value);
  return new Promise((resolve) => {
    const stop = readable.subscribe((next) => {
      if (!passes(next)) return;
      stop();
      resolve(next);
    });
  });
}

/** Resolves once `passes` is true after one of the changes that `subscribe` tells. */
export function when(subscribe: (listener: () => void) => () => void, passes: () => boolean): Promise<void> {
  if (passes()) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = subscribe(() => {
      if (!passes()) return;
      stop();
      resolve();
    });
  });
}
