import type { Scenario } from './scenario.ts';
import { catchUp } from './scenarios/catch-up.ts';
import { coldJoin } from './scenarios/cold-join.ts';
import { eventFanOut, logEvents } from './scenarios/events.ts';
import { fanOutBurst, fanOutPaced } from './scenarios/fan-out.ts';
import { idle } from './scenarios/idle.ts';
import { manyRooms } from './scenarios/many-rooms.ts';
import { mixedDay } from './scenarios/mixed-day.ts';
import { replay, replaySingly } from './scenarios/replay.ts';
import { returning } from './scenarios/returning.ts';

/** All there is to measure, in the order of the table. */
export const SCENARIOS: readonly Scenario[] = [
  fanOutPaced,
  fanOutBurst,
  manyRooms,
  replay,
  replaySingly,
  eventFanOut,
  coldJoin,
  catchUp,
  idle,
  returning,
  logEvents,
  mixedDay,
];
