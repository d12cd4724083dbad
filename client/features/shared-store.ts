const STORES = /* @__PURE__ */ new WeakMap<object, Map<string, unknown>>();

/**
 * One store per owner (a client, a document) and key: whoever asks for the same shares what is in it, such as messages on their
 * way.
 * @param create gets a function by which the store gives its place up, once it holds nothing that the next one would not find out
 */
export function sharedStore<Store>(owner: object, key: string, create: (forget: () => void) => Store): Store {
  const stores = STORES.get(owner) ?? new Map<string, unknown>();
  STORES.set(owner, stores);
  const known = stores.get(key);
  if (known !== undefined) return known as Store;
  const store: Store = create(() => {
    if (stores.get(key) === store) stores.delete(key);
  });
  stores.set(key, store);
  return store;
}
