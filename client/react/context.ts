import { createContext, useContext } from 'react';
import { AshlarError } from '../../shared/errors.ts';
import type { Client } from '../create-client.ts';
import type { EventClient } from '../event-client.ts';
import type { OwnEvents } from './register.ts';

export const ClientContext = /* @__PURE__ */ createContext<EventClient<OwnEvents> | Client<OwnEvents> | null>(null);

/** The client of the provider above. @param hook who asks, for the sentence that says what is missing */
export function useClient(hook: string): EventClient<OwnEvents> {
  const client = useContext(ClientContext);
  if (client !== null) return client;
  throw missing(hook, '');
}

/** The same with documents. */
export function useDocumentClient(hook: string): Client<OwnEvents> {
  const client = useClient(hook);
  if ('document' in client) return client as Client<OwnEvents>;
  throw missing(hook, ', with a client of createClient');
}

/** The client itself: for sending, and for all that no hook does. */
export function useRealtime(): Client<OwnEvents> {
  return useDocumentClient('useRealtime');
}

/** The client below an `EventClientProvider`, which has no documents. */
export function useEventClient(): EventClient<OwnEvents> {
  return useClient('useEventClient');
}

function missing(hook: string, client: string): AshlarError {
  return new AshlarError('invalid-options', {
    detail: `${hook} needs a <RealtimeProvider client={client}> above it${client}`,
  });
}
