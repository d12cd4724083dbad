import type { Scenario } from './scenario.ts';
import { coldJoin } from './scenarios/cold-join.ts';
import { eventFanOut, logEvents } from './scenarios/events.ts';
import { fanOutBurst, fanOutPaced } from './scenarios/fan-out.ts';
import { idle } from './scenarios/idle.ts';

/** All there is to measure, in the order of the table. */
export const SCENARIOS: readonly Scenario[] = [fanOutPaced, fanOutBurst, eventFanOut, coldJoin, idle, logEvents];
