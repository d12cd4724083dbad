import { type Environment, platformEnvironment } from 'ashlar/client';

/** The browser's question before a page with unsaved edits is left, which can be taken back. */
export interface UnloadQuestion {
  readonly confirmUnload: NonNullable<Environment['confirmUnload']>;
  /** Asks no more about anything up to now: the visitor has given it up. */
  drop(): void;
}

export function createUnloadQuestion(): UnloadQuestion {
  const platform = platformEnvironment();
  const questions = new Set<() => void>();
  return {
    confirmUnload() {
      const stop = platform.confirmUnload?.() ?? (() => {});
      questions.add(stop);
      return () => {
        questions.delete(stop);
        stop();
      };
    },
    drop() {
      for (const stop of questions) stop();
      questions.clear();
    },
  };
}
