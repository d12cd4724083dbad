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
  throw new AshlarError('invalid-options', {
    detail: `${hook} is used outside of a provider: put <RealtimeProvider client={client}> around the component`,
  });
}

/** The same with documents. */
export function useDocumentClient(hook: string): Client<OwnEvents> {
  const client = useClient(hook);
  if ('document' in client) return client as Client<OwnEvents>;
  throw new AshlarError('invalid-options', {
    detail: `${hook} needs a client with documents: make it with createClient, and give it to <RealtimeProvider client={client}>`,
  });
}

/** The client itself: for sending, and for all that no hook does. */
export function useRealtime(): Client<OwnEvents> {
  return useDocumentClient('useRealtime');
}

/** The client below an `EventClientProvider`, which has no documents. */
export function useEventClient(): EventClient<OwnEvents> {
  return useClient('useEventClient');
}
