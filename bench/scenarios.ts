import type { Scenario } from './scenario.ts';
import { fanOutBurst, fanOutPaced } from './scenarios/fan-out.ts';

/** All there is to measure, in the order of the table. */
export const SCENARIOS: readonly Scenario[] = [fanOutPaced, fanOutBurst];
