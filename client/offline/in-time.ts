import type { Environment } from '../environment.ts';

const HANGS_AFTER_MS = 10_000;

/** A browser's storage may hang, for ever: no document waits with it. @returns as `answer`; rejects after 10 s */
export function inTime<Result>(env: Pick<Environment, 'after'>, answer: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const cancel = env.after(HANGS_AFTER_MS, reject);
    answer.then(resolve, reject).finally(cancel);
  });
}
