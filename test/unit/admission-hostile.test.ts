import { beforeEach, describe, expect, test } from 'vitest';
import { admitUpdate, countStructs } from '../../server/documents/admission/admit-update.ts';
import { HOSTILE_UPDATES, SENDER, SENDER_UPDATE, textAfter, VICTIM, VICTIM_UPDATE } from '../support/hostile-admissions.ts';
import { AdmissionLog } from '../support/random-session.ts';

describe('hostile updates', () => {
  let log: AdmissionLog;

  beforeEach(() => {
    log = new AdmissionLog();
    log.claim(VICTIM, 'victim');
    log.claim(SENDER, 'sender');
    expect(log.take('victim', VICTIM_UPDATE).verdict).toBe('admitted');
    expect(log.take('sender', SENDER_UPDATE).verdict).toBe('admitted');
  });

  test.each(HOSTILE_UPDATES)('[5] $name: $expected.verdict', ({ update, expected, text = 'victimmine' }) => {
    expect(log.take('sender', update)).toMatchObject(expected);
    expect(textAfter(log.records)).toBe(text);
    expect(textAfter([log.merged()])).toBe(text);
  });

  test('each rule has hostile updates of its own', () => {
    const rules = HOSTILE_UPDATES.flatMap(({ expected }) => ('rule' in expected ? [expected.rule] : []));
    expect([...new Set(rules)].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 7, 8, 9, 10]);
    expect(new Set(HOSTILE_UPDATES.map(({ name }) => name)).size).toBe(HOSTILE_UPDATES.length);
  });

  test.each(HOSTILE_UPDATES)('$name: counted and judged in less than 50 ms, whole or cut anywhere', ({ update }) => {
    const step = Math.max(1, Math.floor(update.length / 50));
    for (let length = update.length; length >= 0; length -= step) {
      const part = update.subarray(0, length);
      // The quickest of three: a machine that has other work may stand still in the middle of one.
      const times = [1, 2, 3].map(() => {
        const started = performance.now();
        expect(countStructs(part)).toBeLessThanOrEqual(part.length);
        admitUpdate(part, log.contextFor('sender'));
        return performance.now() - started;
      });
      expect(Math.min(...times)).toBeLessThan(50);
    }
  });
});
