import { describe, expect, test } from 'vitest';
import { tryUpdates } from '../support/admission-trial.ts';
import { generateUpdate, mutateBytes } from '../support/mutate-update.ts';

const SEED = 20_261_124;

describe('whatever is admitted merges, applies and reads the same for members and joiners', () => {
  test('[5] of 20,000 honest updates with damaged bytes', () => {
    const tally = tryUpdates(SEED, 400, 50, (draw, { updates }) => {
      const pick = () => updates[draw(updates.length)] as Uint8Array;
      return mutateBytes(draw, pick(), pick());
    });
    expect(tally.refused).toBeGreaterThan(10_000);
    expect(tally.admitted).toBeGreaterThan(150);
    expect(tally.forCompaction).toBeLessThanOrEqual(tally.admitted * 0.02);
  }, 60_000);

  test('[5] of 4,000 generated updates that keep the form', () => {
    const tally = tryUpdates(SEED, 500, 8, (draw, { log, adasIds }) => generateUpdate(draw, log.known, adasIds));
    expect(tally.admitted).toBeGreaterThan(700);
    expect(tally.gap).toBeGreaterThan(300);
    expect(tally.forCompaction).toBeLessThanOrEqual(tally.admitted * 0.03);
  }, 60_000);
});
