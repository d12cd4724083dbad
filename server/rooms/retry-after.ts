/** ms before something is tried again: at once first. @param attempts how many failed since */
export function retryAfterMs(attempts: number): number {
  return attempts <= 0 ? 0 : Math.min(5_000, 100 * 2 ** attempts);
}
