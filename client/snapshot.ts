type Plain = Record<string, unknown>;

/**
 * A frozen copy of plain data that keeps the identity of `previous`, as a whole and in its parts, wherever nothing changed: what a
 * selector picked from the last one still counts as the same. Anything but plain objects and arrays is taken as it is.
 */
export function snapshot<Value>(previous: unknown, value: Value): Value {
  if (Array.isArray(value)) return copyArray(Array.isArray(previous) ? previous : [], value) as Value;
  if (isPlain(value)) return copyObject(isPlain(previous) ? previous : {}, value, isPlain(previous)) as Value;
  return value;
}

/** Whether two values are the same, or hold the same entries: objects and arrays are compared one level deep. */
export function shallowEqual(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((entry, index) => Object.is(entry, right[index]));
  }
  if (!isPlain(left) || !isPlain(right)) return false;
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && Object.is(left[key], right[key]))
  );
}

function isPlain(value: unknown): value is Plain {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function copyObject(previous: Plain, value: Plain, known: boolean): Plain {
  // By `fromEntries`: a key such as __proto__ becomes a property like any other.
  const copy = Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key, snapshot(Object.hasOwn(previous, key) ? previous[key] : undefined, entry)]),
  );
  return known && shallowEqual(previous, copy) ? previous : Object.freeze(copy);
}

// Entries are compared with those at the same distance from the start, and behind the first change from the end: one that is put in
// or taken out leaves all others what they were.
function copyArray(previous: readonly unknown[], value: readonly unknown[]): readonly unknown[] {
  const copy: unknown[] = new Array(value.length);
  let start = 0;
  for (; start < value.length; start++) {
    copy[start] = snapshot(previous[start], value[start]);
    if (start >= previous.length || !Object.is(copy[start], previous[start])) break;
  }
  const shift = previous.length - value.length;
  let end = value.length;
  for (; end > start && end + shift > start; end--) {
    const before = previous[end - 1 + shift];
    const entry = snapshot(before, value[end - 1]);
    if (!Object.is(entry, before)) break;
    copy[end - 1] = entry;
  }
  for (let index = start; index < end; index++) copy[index] = snapshot(previous[index], value[index]);
  return start === value.length && shift === 0 && Array.isArray(previous) && Object.isFrozen(previous)
    ? previous
    : Object.freeze(copy);
}
