import * as Y from 'yjs';
import { decodeStateVector } from '../../server/documents/admission/state-vector.ts';
import { compact } from '../../server/documents/worker/compact.ts';
import { AshlarError } from '../../shared/errors.ts';
import { type Draw, drawFrom } from './mutate-update.ts';
import { type AdmissionLog, contentOf, Session } from './random-session.ts';

/** A log of honest work, its updates and those that are still under way, and the client ids of the user who sends. */
export interface HonestSession {
  readonly log: AdmissionLog;
  readonly updates: Uint8Array[];
  readonly adasIds: number[];
}

/** A short honest session, its log, and what its members have not sent. */
export function honestSession(draw: Draw): HonestSession {
  const session = new Session(1_000 + draw(1_000_000));
  for (let step = 0; step < 16; step++) {
    const member = draw(3);
    if (draw(3) > 0) session.run({ do: 'edit', member, kind: draw(100), at: draw(10_000), size: 1 + draw(6) });
    else session.run({ do: (['send', 'send-merged', 'receive', 'undo'] as const)[draw(4)] as 'send', member });
  }
  const { log } = session;
  const waiting = session.members.filter(({ outbox }) => outbox.length > 0).map(({ outbox }) => Y.mergeUpdates(outbox));
  const adasIds = [...log.owners].filter(([, user]) => user === 'ada').map(([clientId]) => clientId);
  // One below and one above everybody's: integration goes by the order of ids.
  for (const clientId of [77, 5_000_000_000]) {
    log.claim(clientId, 'ada');
    adasIds.push(clientId);
  }
  return { log, updates: [...log.records, ...waiting], adasIds };
}

/** Whether rule 10 finds a log at fault: what bytes alone do not show. */
function isCaughtBehind(log: AdmissionLog): boolean {
  try {
    compact({ state: null, updates: log.records });
    return false;
  } catch (error) {
    return AshlarError.from(error).code === 'document-damaged';
  }
}

/** A reader may stop at content of the wrong kind (a string in XML): the same for all. */
function read(doc: Y.Doc): string {
  try {
    return JSON.stringify(contentOf(doc));
  } catch {
    return 'unreadable';
  }
}

/** What is wrong with a log after an update was admitted; null: nothing. */
function harm(log: AdmissionLog): string | null {
  const member = new Y.Doc();
  const joiner = new Y.Doc();
  try {
    for (const record of log.records) Y.applyUpdate(member, record);
    Y.applyUpdate(joiner, log.merged());
  } catch (error) {
    return `throws ${(error as Error).message}`;
  }
  const next = [...log.known].sort();
  for (const doc of [member, joiner]) {
    if (doc.store.pendingStructs !== null || doc.store.pendingDs !== null) return 'something stays pending';
    if (JSON.stringify([...decodeStateVector(Y.encodeStateVector(doc), 100)].sort()) !== JSON.stringify(next))
      return 'clocks differ';
  }
  return read(member) === read(joiner) ? null : 'members and joiners differ';
}

/** What became of the updates. */
export interface Tally {
  admitted: number;
  refused: number;
  gap: number;
  nothing: number;
  /** Admitted ones that only rule 10 can find. */
  forCompaction: number;
}

/**
 * Sends hostile updates into honest sessions, and looks at what was admitted.
 * @throws Error with the seed, where one did harm that its bytes could have shown
 */
export function tryUpdates(
  seed: number,
  sessions: number,
  perSession: number,
  hostile: (draw: Draw, session: HonestSession) => Uint8Array,
): Tally {
  const tally: Tally = { admitted: 0, refused: 0, gap: 0, nothing: 0, forCompaction: 0 };
  for (let index = 0; index < sessions; index++) {
    const draw = drawFrom(seed + index);
    const session = honestSession(draw);
    if (session.updates.length === 0) continue;
    for (let attempt = 0; attempt < perSession; attempt++) {
      const update = hostile(draw, session);
      const { verdict } = session.log.take('ada', update, draw(4) === 0);
      tally[verdict]++;
      if (verdict !== 'admitted') continue;
      const found = harm(session.log);
      if (found === null) continue;
      // Behind the admission stands the compaction, which sets such a record aside.
      if (!isCaughtBehind(session.log)) {
        throw new Error(`${found}: seed ${seed + index}, attempt ${attempt}, update ${Buffer.from(update).toString('hex')}`);
      }
      tally.forCompaction++;
      break;
    }
  }
  return tally;
}
