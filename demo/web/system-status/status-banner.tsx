import { useSystemStatus } from 'ashlar/react';

/** What the backend says of itself, while that is more than "online". */
export function StatusBanner() {
  const status = useSystemStatus();
  return (
    <div role="status" aria-label="System">
      {status === undefined || status.status === 'online' ? null : (
        <p className="banner banner-system">
          <strong>{status.status === 'maintenance' ? 'Maintenance' : 'Degraded'}</strong> {status.message}
        </p>
      )}
    </div>
  );
}
