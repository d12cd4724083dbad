/** Told of whatever has no other way to the caller: a listener that threw, a refusal that nobody awaits. */
export type Report = (error: unknown, context: string) => void;

/** The default: the console. */
export const reportToConsole: Report = (error, context) => {
  console.error(`[ashlar] ${context}:`, error);
};

/** A report that cannot throw, whatever the caller's hook does. */
export function safeReport(report: Report): Report {
  return (error, context) => {
    try {
      report(error, context);
    } catch (hookError) {
      reportToConsole(hookError, 'onError hook');
    }
  };
}

/**
 * Marks a promise as looked after: whoever awaits it still gets the rejection, but one that nobody awaits does not end the
 * process (Node) or reach `unhandledrejection` (browsers).
 */
export function quiet<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => {});
  return promise;
}
