/** The orders of a column with one more in it. */
export interface Inserted {
  readonly order: number;
  /** Of the others, as given or new. */
  readonly others: readonly number[];
}

/**
 * Finds an order between two neighbours. Where they leave no room, those behind move on, as few as will do.
 * @param orders ascending; some may be equal
 * @param index before which of them
 */
export function insertOrder(orders: readonly number[], index: number): Inserted {
  const [before, after] = [orders[index - 1], orders[index]];
  const order = between(before, after);
  const all = [...orders.slice(0, index), order, ...orders.slice(index)];
  let [last, at] = [order, index + 1];
  for (let next = all[at]; next !== undefined && next <= last; next = all[++at]) {
    last += 1;
    all[at] = last;
  }
  // Beyond what numbers tell apart: only what was written past the app comes here.
  const fits = all.slice(0, at).every((one, place) => place < index || one > (all[place - 1] ?? Number.NEGATIVE_INFINITY));
  const placed = fits ? all : all.map((_, place) => place);
  return { order: placed[index] ?? order, others: placed.toSpliced(index, 1) };
}

/** Behind the first at least, and before the second if there is room. */
function between(before: number | undefined, after: number | undefined): number {
  if (before === undefined) return (after ?? 1) - 1;
  if (after === undefined) return before + 1;
  const middle = (before + after) / 2;
  return before < middle && middle < after ? middle : before + 1;
}
