/** Samples of one thing over time: the same figures each time. */
export interface Series<Key extends string = string> {
  readonly name: string;
  readonly samples: readonly Readonly<Record<Key, number>>[];
}

/**
 * Compares the first third of each series with its last, by their medians.
 * @param limits the most that a figure may be at the end, given what it was at the beginning
 * @returns what grew beyond that, in sentences; none: it was flat
 */
export function whatGrew<Key extends string>(
  series: readonly Series<Key>[],
  limits: Readonly<Record<Key, (first: number) => number>>,
): string[] {
  return series.flatMap(({ name, samples }) => {
    const third = Math.max(1, Math.floor(samples.length / 3));
    return (Object.keys(limits) as Key[]).flatMap((key) => {
      const [first, last] = [samples.slice(0, third), samples.slice(-third)].map((part) =>
        median(part.map((one) => one[key])),
      ) as [number, number];
      return last > limits[key](first) ? [`${name}: ${key} grew from ${first} to ${last} in ${samples.length} rounds`] : [];
    });
  });
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
