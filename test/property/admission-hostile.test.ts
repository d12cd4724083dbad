import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { decodeStateVector } from '../../server/documents/admission/state-vector.ts';
import { type Draw, drawFrom, generateUpdate, mutateBytes } from '../support/mutate-update.ts';
import { type AdmissionLog, contentOf, Session } from '../support/random-session.ts';

const SEED = 20_261_124;

/** A short honest session, its log, and what its members have not sent. */
function honestSession(draw: Draw): { log: AdmissionLog; updates: Uint8Array[]; adasIds: number[] } {
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

/** Why a log's items could not come from an editor, where bytes alone do not show it: for the compaction worker (rule 10). */
function oddity(log: AdmissionLog): string | null {
  return oddityOf(log.records) ?? oddityOf([log.merged()]);
}

function oddityOf(records: readonly Uint8Array[]): string | null {
  const doc = new Y.Doc({ gc: false });
  for (const record of records) Y.applyUpdate(doc, record);
  const at = (id: Y.ID | null) => {
    const structs = id === null ? undefined : doc.store.clients.get(id.client);
    return structs?.find((struct) => id !== null && struct.id.clock <= id.clock && id.clock < struct.id.clock + struct.length);
  };
  for (const structs of doc.store.clients.values()) {
    for (const item of structs) {
      if (!(item instanceof Y.Item)) continue;
      const origin = at(item.origin);
      const right = at(item.rightOrigin);
      for (const neighbour of [origin, right]) {
        if (!(neighbour instanceof Y.Item)) continue;
        if (neighbour.parent !== item.parent || neighbour.parentSub !== item.parentSub) return 'neighbours in another list';
      }
      if (origin instanceof Y.Item && right instanceof Y.Item && !isBefore(origin, right)) return 'neighbours in the wrong order';
      if (item.parentSub !== null && item.right !== null && !item.deleted) return 'a superseded value that lives';
    }
  }
  return null;
}

function isBefore(first: Y.Item, second: Y.Item): boolean {
  for (let item = first.right; item !== null; item = item.right) if (item === second) return true;
  return false;
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

interface Tally {
  admitted: number;
  refused: number;
  gap: number;
  nothing: number;
  /** Admitted ones that only rule 10 can find. */
  forCompaction: number;
}

function run(
  sessions: number,
  perSession: number,
  hostile: (draw: Draw, session: ReturnType<typeof honestSession>) => Uint8Array,
): Tally {
  const tally: Tally = { admitted: 0, refused: 0, gap: 0, nothing: 0, forCompaction: 0 };
  for (let index = 0; index < sessions; index++) {
    const draw = drawFrom(SEED + index);
    const session = honestSession(draw);
    if (session.updates.length === 0) continue;
    for (let attempt = 0; attempt < perSession; attempt++) {
      const update = hostile(draw, session);
      const { verdict } = session.log.take('ada', update, draw(4) === 0);
      tally[verdict]++;
      if (verdict !== 'admitted') continue;
      const found = harm(session.log);
      if (found === null) continue;
      const why = oddity(session.log);
      // Only where bytes could not have shown it.
      if (why === null || !/^(throws Unexpected case|members and joiners differ)$/.test(found)) {
        expect.fail(`${found}: session ${index}, attempt ${attempt}, update ${Buffer.from(update).toString('hex')}`);
      }
      tally.forCompaction++;
      break;
    }
  }
  return tally;
}

describe('whatever is admitted merges, applies and reads the same for members and joiners', () => {
  test('[5] of 20,000 honest updates with damaged bytes', () => {
    const tally = run(400, 50, (draw, { updates }) => {
      const pick = () => updates[draw(updates.length)] as Uint8Array;
      return mutateBytes(draw, pick(), pick());
    });
    expect(tally.refused).toBeGreaterThan(10_000);
    expect(tally.admitted).toBeGreaterThan(150);
    expect(tally.forCompaction).toBeLessThanOrEqual(tally.admitted * 0.02);
  }, 60_000);

  test('[5] of 4,000 generated updates that keep the form', () => {
    const tally = run(500, 8, (draw, { log, adasIds }) => generateUpdate(draw, log.known, adasIds));
    expect(tally.admitted).toBeGreaterThan(700);
    expect(tally.gap).toBeGreaterThan(300);
    expect(tally.forCompaction).toBeLessThanOrEqual(tally.admitted * 0.03);
  }, 60_000);
});
