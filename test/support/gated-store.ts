import type { Store } from '../../server/storage/store.ts';

type Method = 'append' | 'epochAt' | 'eraseUser' | 'read' | 'findById' | 'open';

/** A store whose calls can be held back and made to fail, so that a test decides what overtakes what. */
export interface GatedStore extends Store {
  /** Holds calls of a method from now on, or their answers alone. @returns lets those that wait, and all later ones, through */
  hold(method: Method, what?: 'call' | 'answer'): () => void;
  /** The next call of a method fails: `before` it does anything, or `after` it has done it, as when the answer is lost. */
  fail(method: Method, when: 'before' | 'after', error: Error): void;
  /** Calls of a method that are being held, or whose answers are. */
  held(method: Method): number;
}

export function gateStore(store: Store): GatedStore {
  const gates = new Map<Method, { what: 'call' | 'answer'; opened: Promise<void>; waiting: number }>();
  const failures = new Map<Method, { when: 'before' | 'after'; error: Error }>();

  async function call(method: Method, args: unknown[]): Promise<unknown> {
    const gate = gates.get(method);
    const wait = async (what: 'call' | 'answer') => {
      if (gate?.what !== what) return;
      gate.waiting += 1;
      await gate.opened;
      gate.waiting -= 1;
    };
    await wait('call');
    const failure = failures.get(method);
    failures.delete(method);
    if (failure?.when === 'before') throw failure.error;
    const result = await (store[method] as (...given: unknown[]) => Promise<unknown>).apply(store, args);
    await wait('answer');
    if (failure !== undefined) throw failure.error;
    return result;
  }
  const own = {
    hold(method: Method, what: 'call' | 'answer' = 'call') {
      let open: () => void = () => {};
      const opened = new Promise<void>((resolve) => {
        open = resolve;
      });
      gates.set(method, { what, opened, waiting: 0 });
      return () => {
        gates.delete(method);
        open();
      };
    },
    fail: (method: Method, when: 'before' | 'after', error: Error) => void failures.set(method, { when, error }),
    held: (method: Method) => gates.get(method)?.waiting ?? 0,
  };
  const gated = ['append', 'epochAt', 'eraseUser', 'read', 'findById', 'open'];
  return new Proxy(store, {
    get(target, name) {
      if (Object.hasOwn(own, name)) return own[name as keyof typeof own];
      if (gated.includes(name as string)) return (...args: unknown[]) => call(name as Method, args);
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  }) as GatedStore;
}
