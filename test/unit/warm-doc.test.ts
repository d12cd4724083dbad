import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { describeDoc, differenceOf } from '../../server/documents/worker/describe-doc.ts';
import { applyBehind, loadDoc } from '../../server/documents/worker/load-doc.ts';
import { WarmDoc } from '../../server/documents/worker/warm-doc.ts';
import { BRICK } from '../support/hostile-updates.ts';
import { playSession, sessionSteps } from '../support/yjs-session.ts';

/** A clock that goes on by so many ms each time it is read. */
function ticking(stepMs: number): () => number {
  let ms = 0;
  return () => {
    ms += stepMs;
    return ms;
  };
}

const letter = (clock: number): Uint8Array => {
  const doc = new Y.Doc();
  doc.clientID = 5;
  doc.getText('text').insert(0, 'x'.repeat(clock));
  const before = Y.encodeStateVector(doc);
  doc.getText('text').insert(clock, 'y');
  return Y.encodeStateAsUpdate(doc, before);
};

const damaged = expect.objectContaining({ code: 'document-damaged' });

const structsOf = ({ store }: Y.Doc) =>
  [...store.clients].map(([client, structs]) => [
    client,
    structs.map((struct) => [struct.id.clock, struct.length, struct instanceof Y.Item ? struct.content.getRef() : 'collected']),
  ]);

test('portions that follow one another leave what the whole log leaves, in runs and pieces as a member has them', () => {
  fc.assert(
    fc.property(sessionSteps(), fc.integer({ min: 1, max: 7 }), (steps, size) => {
      const { log } = playSession(steps);
      const whole = loadDoc(null, log);
      const portions = loadDoc(null, []);
      for (let start = 0; start < log.length; start += size) applyBehind(portions, log.slice(start, start + size));
      expect(structsOf(portions)).toEqual(structsOf(whole));
      expect(differenceOf(describeDoc(portions), describeDoc(whole))).toBeNull();
    }),
    { numRuns: 100 },
  );
});

test('[5] the time of all portions counts, the first one too', () => {
  const doc = new WarmDoc(1, { state: null, updates: [letter(0)] }, ticking(100));
  expect(doc.ms).toBe(100);
  doc.apply([letter(1)]);
  doc.apply([letter(2)]);
  expect(doc.ms).toBe(300);
});

test('[5] what waits for something that the log has not is damage', () => {
  const doc = new WarmDoc(1, { state: null, updates: [letter(0)] }, ticking(1));
  expect(() => doc.apply([letter(2)])).toThrow(damaged);
});

test('[5] what does not apply is damage, in a later portion too', () => {
  const doc = new WarmDoc(1, { state: null, updates: [letter(0)] }, ticking(1));
  expect(() => doc.apply([BRICK])).toThrow(damaged);
});
