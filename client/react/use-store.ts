import { useEffect, useInsertionEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import type { Readable } from '../readable.ts';
import { shallowEqual } from '../snapshot.ts';

/** Picks a part of a snapshot. May be written inline. */
export type Select<Value, Selected> = (value: Value) => Selected;

/** When what was picked counts as unchanged: then nothing is rendered. Default: the same, or the same entries one level deep. */
export type IsEqual<Selected> = (left: Selected, right: Selected) => boolean;

/** For `select`: all of it. */
export const itself = (value: unknown): unknown => value;

const subscribeToNothing = () => () => {};

/**
 * A part of a `Readable` as state of a component.
 * @param readable null: nothing to read yet
 * @param initial what there is with nothing to read, and what a server renders, and a page that takes over what a server rendered
 */
export function useStore<Value, Selected = Value>(
  readable: Readable<Value> | null,
  initial: Value,
  select: Select<Value, Selected> = itself as Select<Value, Selected>,
  isEqual: IsEqual<Selected> = shallowEqual,
): Selected {
  const shown = useRef<{ selected: Selected } | null>(null);
  const [get, getInitial] = useMemo(() => {
    const pick = createPick(select, isEqual, shown);
    const pickInitial = createPick(select, isEqual, shown);
    return [() => pick(readable === null ? initial : readable.get()), () => pickInitial(initial)];
  }, [readable, initial, select, isEqual]);
  const selected = useSyncExternalStore(readable?.subscribe ?? subscribeToNothing, get, getInitial);
  useEffect(() => {
    shown.current = { selected };
  }, [selected]);
  return selected;
}

// A selector runs once per snapshot; what it picks keeps the identity of what is shown where that is equal.
function createPick<Value, Selected>(
  select: Select<Value, Selected>,
  isEqual: IsEqual<Selected>,
  shown: { readonly current: { selected: Selected } | null },
): (value: Value) => Selected {
  let last: { value: Value; selected: Selected } | null = null;
  return (value) => {
    if (last !== null && Object.is(last.value, value)) return last.selected;
    const known = last ?? shown.current;
    const picked = select(value);
    const selected = known !== null && isEqual(known.selected, picked) ? known.selected : picked;
    last = { value, selected };
    return selected;
  };
}

/**
 * Any `Readable` of the SDK as state of a component: `useReadable(document.handle.access)`.
 * @param select picks a part of it: only its changes render
 */
export function useReadable<Value>(readable: Readable<Value>): Value;
export function useReadable<Value, Selected>(
  readable: Readable<Value>,
  select: Select<Value, Selected>,
  isEqual?: IsEqual<Selected>,
): Selected;
export function useReadable<Value, Selected>(
  readable: Readable<Value>,
  select?: Select<Value, Selected>,
  isEqual?: IsEqual<Selected>,
): Selected {
  return useStore(readable, readable.get(), select, isEqual);
}

/** A value that is written inline, with the identity that it had when its entries last changed. */
export function useStable<Value>(value: Value): Value {
  const [stable, setStable] = useState(value);
  if (shallowEqual(stable, value)) return stable;
  setStable(() => value);
  return value;
}

/** The newest of a handler that may be written inline: whoever holds the reference needs no other. */
export function useNewest<Value>(value: Value): { readonly current: Value } {
  const newest = useRef(value);
  useInsertionEffect(() => {
    newest.current = value;
  });
  return newest;
}
