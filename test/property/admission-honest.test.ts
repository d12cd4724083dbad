import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { admitUpdate } from '../../server/documents/admission/admit-update.ts';
import { encodeStateVector } from '../../server/documents/admission/state-vector.ts';
import { AdmissionLog, contentOf, mergeTree, Session, step } from '../support/random-session.ts';
import { applyPatches, loadConcurrentTrace, loadTrace, type Patch, replayConcurrent } from '../support/traces.ts';

const SEED = 20_261_124;
const anyone = { ownerOf: () => 'self' as const, full: true, maxStructs: 200_000, subdocuments: false };

/** A joiner's document: everything in the log, at once. */
function join(log: AdmissionLog): Y.Doc {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, log.merged());
  return doc;
}

/** An update as Yjs spells it: it leaves out flags that nothing follows. */
function respell(update: Uint8Array): Uint8Array {
  return Y.mergeUpdates([update, new Uint8Array([0, 0])]);
}

describe('recorded sessions', () => {
  test.each([
    ['friendsforever_flat', 26_078],
    ['seph-blog1', 10_000],
  ] as const)(
    'every update of %s with undo and redo between is admitted, once',
    (name, transactions) => {
      const { startContent, endContent, txns } = loadTrace(name);
      const log = new AdmissionLog();
      const doc = new Y.Doc();
      doc.clientID = 4_000_000_000;
      log.claim(doc.clientID, 'ada');
      const verdicts = { admitted: 0, repeats: 0, other: [] as unknown[] };
      doc.on('update', (update: Uint8Array) => {
        const admission = log.take('ada', update);
        if (admission.verdict === 'admitted') verdicts.admitted++;
        else verdicts.other.push(admission);
        const repeat = log.take('ada', update);
        // A repeat of deletes alone cannot be told from the first: it is taken, and changes nothing.
        if (repeat.verdict === 'nothing' || (repeat.verdict === 'admitted' && repeat.clocks.length === 0)) verdicts.repeats++;
        else verdicts.other.push(repeat);
      });
      const text = doc.getText('text');
      const undo = new Y.UndoManager(text, { captureTimeout: 0 });
      if (startContent !== '') text.insert(0, startContent);
      for (const [index, { patches }] of txns.slice(0, transactions).entries()) {
        applyPatches(text, patches as readonly Patch[]);
        if (index % 40 !== 39) continue;
        const steps = 1 + (index % 3);
        for (let count = 0; count < steps; count++) undo.undo();
        for (let count = 0; count < steps; count++) undo.redo();
      }
      expect(verdicts.other).toEqual([]);
      expect(verdicts.admitted).toBeGreaterThan(transactions);
      expect(verdicts.repeats).toBe(verdicts.admitted);
      if (transactions >= txns.length) expect(text.toString()).toBe(endContent);
      expect(join(log).getText('text').toString()).toBe(text.toString());
      for (const whole of [Y.encodeStateAsUpdate(doc), mergeTree(log.records)]) {
        expect(admitUpdate(whole, { ...anyone, known: new Map() }).verdict).toBe('admitted');
      }
    },
    60_000,
  );

  test('the concurrent session is admitted update by update, and what was admitted reads as its end', () => {
    const trace = loadConcurrentTrace();
    const log = new AdmissionLog();
    const other: unknown[] = [];
    const agents = replayConcurrent(trace, (update, agent) => {
      log.claim(agent + 1, `agent ${agent}`);
      const admission = log.take(`agent ${agent}`, update);
      if (admission.verdict !== 'admitted') other.push(admission);
    });
    expect(other).toEqual([]);
    expect(log.records).toHaveLength(trace.txns.length);
    expect(join(log).getText('text').toString()).toBe(trace.endContent);
    const [first] = agents;
    expect(admitUpdate(Y.encodeStateAsUpdate(first?.doc as Y.Doc), { ...anyone, known: new Map() }).verdict).toBe('admitted');
  }, 60_000);
});

describe('random sessions', () => {
  const sessions = fc.array(step, { minLength: 20, maxLength: 250, size: 'max' });

  test('no honest update is refused or a gap, repeats are harmless, and a joiner reads what members read', () => {
    let sent = 0;
    fc.assert(
      fc.property(sessions, (steps) => {
        const session = new Session();
        for (const next of steps) session.run(next);
        session.settle();
        for (const { admission } of session.sent) expect(['admitted', 'nothing']).toContain(admission.verdict);
        sent += session.sent.length;
        const expected = contentOf(join(session.log));
        for (const member of session.members) expect(contentOf(member.doc)).toEqual(expected);
        const onlooker = new Y.Doc();
        for (const record of session.log.records) Y.applyUpdate(onlooker, record);
        expect(contentOf(onlooker)).toEqual(expected);
      }),
      { seed: SEED, numRuns: 60 },
    );
    expect(sent).toBeGreaterThan(800);
  }, 60_000);

  test('what is known is cut away exactly as Yjs cuts it, wherever the known clocks end', () => {
    let cuts = 0;
    fc.assert(
      fc.property(sessions, fc.nat(), fc.boolean(), (steps, cut, compacted) => {
        const session = new Session();
        for (const next of steps) session.run(next);
        session.settle();
        const doc = join(session.log);
        const whole = compacted ? Y.encodeStateAsUpdate(doc) : session.log.merged();
        const known = new Map<number, number>();
        for (const [index, [clientId, clock]] of [...session.log.known].entries()) {
          known.set(clientId, Math.floor((((cut >>> index) % 97) / 96) * clock));
        }
        // What the cut-off part refers to is known, or the rest would not be where it is.
        const admission = admitUpdate(whole, { ...anyone, known });
        expect(['admitted', 'nothing']).toContain(admission.verdict);
        if (admission.verdict !== 'admitted') return;
        const expected = Y.diffUpdate(whole, encodeStateVector(known));
        expect(respell(admission.update)).toEqual(respell(expected));
        expect(admission.clocks.every(({ clientId, clock }) => session.log.known.get(clientId) === clock)).toBe(true);
        if (admission.clocks.length > 0) cuts++;
      }),
      { seed: SEED, numRuns: 80 },
    );
    expect(cuts).toBeGreaterThan(60);
  }, 60_000);
});
