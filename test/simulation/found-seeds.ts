/** Seeds that found a bug of the product: they run first. What a seed does may change with the simulation; keep it all the same. */
export const FOUND_SEEDS: readonly number[] = [17, 36, 105, 306];
