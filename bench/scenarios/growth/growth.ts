import type { Metric } from '../../scenario.ts';
import type { ServerProcess } from '../../server-process.ts';
import { type Deadline, settle } from '../../support.ts';

/** How much more there is of what grows. */
export const FACTORS = [1, 4, 16] as const;

/** One metric a factor. @param sizes what there is at each of them, for people */
export function growthMetrics(unit: string, sizes: readonly string[]): Metric[] {
  return FACTORS.map((factor, index) => ({ name: `x${factor}`, unit: `${unit}, ${sizes[index]}` }));
}

/** The server's CPU for a stretch and all that it causes, µs. */
export async function cpuOf(server: ServerProcess, deadline: Deadline, stretch: () => Promise<void>): Promise<number> {
  await deadline.race(settle(server));
  const before = await server.usage();
  await deadline.race(stretch());
  await deadline.race(settle(server));
  const after = await server.usage();
  return after.cpu - before.cpu;
}
