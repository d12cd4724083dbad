import { useSystemStatus } from 'ashlar/react';
import { BackendButton } from '../shared/backend-button.tsx';

/** Announces maintenance to everybody, and ends it. */
export function StatusControls() {
  const status = useSystemStatus();
  const online = status === undefined || status.status === 'online';
  return (
    <BackendButton path={online ? 'status/maintenance' : 'status/online'}>
      {online ? 'Announce maintenance' : 'End maintenance'}
    </BackendButton>
  );
}
