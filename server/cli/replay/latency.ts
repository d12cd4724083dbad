/** `p50 4 ms, p99 12 ms, max 40 ms` of some durations; null where there are none. */
export function describeLatency(durationsMs: readonly number[]): string | null {
  if (durationsMs.length === 0) return null;
  const sorted = [...durationsMs].sort((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`;
}
