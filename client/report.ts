/** Told of whatever has no other way to the caller: a listener that threw, a refusal that nobody awaits. */
export type Report = (error: unknown, context: string) => void;

/** The default: the console. */
export const reportToConsole: Report = (error, context) => {
  console.error(`[ashlar] ${context}:`, error);
};

/** Runs what may throw, a listener of the caller's, and reports it where it does. */
export function guarded(report: Report, context: string, task: () => void): void {
  try {
    task();
  } catch (error) {
    report(error, context);
  }
}

/** A report that cannot throw, whatever the caller's hook does. */
export function safeReport(report: Report): Report {
  return (error, context) => guarded(reportToConsole, 'onError hook', () => report(error, context));
}

/**
 * Marks a promise as looked after: whoever awaits it still gets the rejection, but one that nobody awaits does not end the
 * process (Node) or reach `unhandledrejection` (browsers).
 */
export function quiet<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => {});
  return promise;
}
