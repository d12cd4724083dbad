/** Whether a check that throws at what is wrong lets this pass. */
export function passes(check: () => unknown): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}
