import { useConnectionStatus, useLostConnection, useReadable, useRealtime } from 'ashlar/react';
import { sayWhy } from '../shared/say-why.ts';

/** What of the connection is worth a word: a loss only after some seconds, being offline at once. */
export function useConnectionTrouble(): 'offline' | 'lost' | 'failed' | null {
  const state = useConnectionStatus((status) => status.state);
  const announced = useLostConnection();
  // There was none to lose yet: that the first attempt failed is worth a word at once.
  const neverConnected = useReadable(useRealtime().user, (user) => user === null);
  if (state === 'offline') return 'offline';
  return state === 'reconnecting' && neverConnected ? 'lost' : announced;
}

const LABELS = { offline: 'Offline', lost: 'Reconnecting…', failed: 'Signed out' } as const;

/** The state of the connection, always there: a quiet dot while all is well. */
export function ConnectionPill() {
  const trouble = useConnectionTrouble();
  // A short loss goes unsaid; before the first connection there is nothing to be quiet about.
  const wasConnected = useReadable(useRealtime().user, (user) => user !== null);
  return (
    <span className={trouble === null ? 'pill' : `pill pill-${trouble}`} role="status" aria-label="Connection">
      <span className="dot" aria-hidden="true" />
      <span className={trouble === null ? 'pill-quiet' : undefined}>
        {trouble === null ? (wasConnected ? 'Connected' : 'Connecting…') : LABELS[trouble]}
      </span>
    </span>
  );
}

/** One line across the page while there is no connection. */
export function ConnectionBanner() {
  const trouble = useConnectionTrouble();
  const refusal = useConnectionStatus((status) => (status.state === 'refused' ? sayWhy(status.code) : ''));
  if (trouble === null) return null;
  const text = {
    offline: 'You are offline. Keep working: it is sent as soon as you are back.',
    lost: 'The server does not answer. Keep working: it is sent as soon as it does.',
    failed: `The server does not let you in: ${refusal}.`,
  }[trouble];
  return <p className={`banner banner-${trouble}`}>{text}</p>;
}
