import { useEffect, useMemo } from 'react';
import type { CatalogEvents, PayloadOf } from '../../shared/catalog.ts';
import type { ConnectionStatus } from '../connection.ts';
import { createLostConnection } from '../features/lost-connection.ts';
import type { ConnectionNotice } from '../lost-connection.ts';
import { useClient } from './context.ts';
import { type IsEqual, type Select, useNewest, useStore } from './use-store.ts';

const IDLE: ConnectionStatus = { state: 'idle' };

/** The state of the connection. @param select picks a part of it: `({ state }) => state` */
export function useConnectionStatus(): ConnectionStatus;
export function useConnectionStatus<Selected>(select: Select<ConnectionStatus, Selected>, isEqual?: IsEqual<Selected>): Selected;
export function useConnectionStatus<Selected>(
  select?: Select<ConnectionStatus, Selected>,
  isEqual?: IsEqual<Selected>,
): Selected {
  return useStore(useClient('useConnectionStatus').status, IDLE, select, isEqual);
}

/**
 * Whether the user should hear of the connection: `lost` once it has been away for 5 s, `failed` where the server refuses, else null.
 * @param handler told of the moments, `restored` among them, and at once of what stands already; may be written inline
 */
export function useLostConnection(handler?: (notice: ConnectionNotice) => void): 'lost' | 'failed' | null {
  const client = useClient('useLostConnection');
  const newest = useNewest(handler);
  useEffect(() => client.onConnectionNotice((notice) => newest.current?.(notice)), [client, newest]);
  const lost = useMemo(() => createLostConnection(client), [client]);
  return useStore(lost, null);
}

/** What the backend says of itself, or picked from it; undefined until it has said something. */
export type SystemStatus = PayloadOf<CatalogEvents, 'system:status'>;

export function useSystemStatus(): SystemStatus | undefined {
  const client = useClient('useSystemStatus');
  const status = useMemo(() => client.latest('system:status', 'status'), [client]);
  return useStore(status, undefined);
}
