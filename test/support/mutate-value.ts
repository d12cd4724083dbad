import type { Draw } from './mutate-update.ts';

const ODD: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 53,
  1e308,
  '',
  'x',
  '\u0000',
  '\u202e',
  '__proto__',
  '../..',
  '*',
  'doc:',
  'user:ada',
  'x'.repeat(30_000),
  [],
  {},
  [[[[[[]]]]]],
  { constructor: { prototype: 1 } },
  new Uint8Array([1, 2, 3]),
];

/** Something that no schema asked for. */
export function oddValue(draw: Draw): unknown {
  if (draw(20) !== 0) return ODD[draw(ODD.length)];
  let nested: unknown = 1;
  for (let depth = draw(60); depth > 0; depth--) nested = draw(2) === 0 ? [nested] : { a: nested };
  return nested;
}

/** A JSON value with one or two of its parts replaced, removed or added. */
export function mutateValue(draw: Draw, value: unknown): unknown {
  if (draw(6) === 0 || typeof value !== 'object' || value === null) return oddValue(draw);
  if (Array.isArray(value)) return value.map((entry) => (draw(3) === 0 ? mutateValue(draw, entry) : entry));
  const result: Record<string, unknown> = { ...value };
  for (let changes = 1 + draw(2); changes > 0; changes--) {
    const keys = [...Object.keys(result), 'extra'];
    const key = keys[draw(keys.length)] as string;
    if (draw(4) === 0) delete result[key];
    else result[key] = mutateValue(draw, result[key]);
  }
  return result;
}
