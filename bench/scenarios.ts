import type { Scenario } from './scenario.ts';
import { catchUp } from './scenarios/catch-up.ts';
import { coldJoin } from './scenarios/cold-join.ts';
import { eventFanOut, logEvents } from './scenarios/events.ts';
import { fanOutBurst, fanOutPaced } from './scenarios/fan-out.ts';
import { growthDocuments } from './scenarios/growth/documents.ts';
import { growthJoinBytes, growthJoinRecords } from './scenarios/growth/joins.ts';
import { growthMembers } from './scenarios/growth/members.ts';
import { growthRecords } from './scenarios/growth/records.ts';
import { idle } from './scenarios/idle.ts';
import { manyRooms } from './scenarios/many-rooms.ts';
import { mixedDay } from './scenarios/mixed-day.ts';
import { replay, replaySingly } from './scenarios/replay.ts';
import { replayOwnClient } from './scenarios/replay-own-client.ts';
import { returning } from './scenarios/returning.ts';

/** All there is to measure, in the order of the table. */
export const SCENARIOS: readonly Scenario[] = [
  fanOutPaced,
  fanOutBurst,
  manyRooms,
  replay,
  replaySingly,
  replayOwnClient,
  eventFanOut,
  coldJoin,
  catchUp,
  idle,
  returning,
  logEvents,
  mixedDay,
  growthRecords,
  growthMembers,
  growthDocuments,
  growthJoinBytes,
  growthJoinRecords,
];
