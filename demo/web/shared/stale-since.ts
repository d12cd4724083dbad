/** Marks what is shown as no longer today's. @param since Unix ms; null: it never was */
export function staleSince(since: number | null): string {
  if (since === null) return 'waiting';
  return `stale since ${new Date(since).toLocaleTimeString('en', { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false })}`;
}
