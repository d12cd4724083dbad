import type * as Y from 'yjs';
import type { Readable } from '../readable.ts';
import { snapshot } from '../snapshot.ts';
import { watched } from '../watched.ts';

type SharedType = Pick<Y.Text, 'observeDeep' | 'unobserveDeep'>;

/** The text of a `Y.Text`, without its formats. */
export function watchedText(doc: Y.Doc, name: string): Readable<string> {
  const text = doc.getText(name);
  return watchedType(text, () => text.toString());
}

/** What a `Y.Map` holds, with all that is nested in it, as frozen plain data. What did not change keeps its identity. */
export function watchedMap<Shape extends object = Record<string, unknown>>(
  doc: Y.Doc,
  name: string,
): Readable<Readonly<Partial<Shape>>> {
  const map = doc.getMap(name);
  return watchedType(map, () => map.toJSON() as Partial<Shape>);
}

/** What a `Y.Array` holds, likewise. */
export function watchedArray<Item = unknown>(doc: Y.Doc, name: string): Readable<readonly Item[]> {
  const array = doc.getArray(name);
  return watchedType<readonly Item[]>(array, () => array.toJSON() as Item[]);
}

// Read when asked for while nobody watches, and then by events: the same data is the same object both ways.
function watchedType<Value>(type: SharedType, read: () => Value): Readable<Value> {
  let active = false;
  const renew = (): Value => {
    store.set(snapshot(store.get(), read()));
    return store.get();
  };
  const store = watched<Value>(snapshot(undefined, read()), () => {
    type.observeDeep(renew);
    active = true;
    renew();
    return [
      () => {
        active = false;
        type.unobserveDeep(renew);
      },
    ];
  });
  return { get: () => (active ? store.get() : renew()), subscribe: store.subscribe };
}
