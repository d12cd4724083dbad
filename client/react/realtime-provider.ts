import { createElement, type ReactNode, useEffect, useState } from 'react';
import { type Client, type ClientOptions, createClient } from '../create-client.ts';
import type { EventClient } from '../event-client.ts';
import type { TokenSource } from '../token.ts';
import { ClientContext } from './context.ts';
import type { OwnEvents } from './register.ts';
import { useNewest } from './use-store.ts';

/** A client of your own: it is connected if nobody has done so yet, and never disconnected. */
export interface GivenClient {
  client: Client<OwnEvents>;
}

/**
 * Or what one is made of: it connects while the provider is mounted, and is destroyed with it (`client.destroy`): look at
 * `useUnsavedDocuments` before. Another `url` or `path` makes another client; a `token` may change at any time (give the provider a `key` to sign
 * in somebody else); all other options are read once.
 */
export interface OwnClient extends ClientOptions<OwnEvents> {
  client?: undefined;
}

export type RealtimeProviderProps = (GivenClient | OwnClient) & { children?: ReactNode };

interface Made {
  readonly client: Client<OwnEvents>;
  readonly url: string | undefined;
  readonly path: string | undefined;
  /** Mounts that want it connected. */
  leases: number;
}

/**
 * Gives the hooks below it their client. Nothing connects while rendering, on a server nothing ever does, and StrictMode's second
 * mount finds the connection of the first.
 */
export function RealtimeProvider(props: RealtimeProviderProps): ReactNode {
  const { client: given, children } = props;
  const token = given === undefined ? props.token : undefined;
  const newestToken = useNewest(token);
  // Making a client does nothing: one that StrictMode throws away leaves nothing behind.
  const [kept, keep] = useState(() => (props.client === undefined ? make(props) : null));
  let made = given === undefined ? kept : null;
  if (props.client === undefined && (made === null || made.url !== props.url || made.path !== props.path)) {
    made = make(props);
    keep(made);
  }

  const word = typeof token === 'function' ? null : token;
  useEffect(() => {
    if (made === null) return;
    const { client } = made;
    made.leases++;
    const source: TokenSource = word ?? (() => askNewest(newestToken));
    void client.connect({ token: source });
    return () => {
      made.leases--;
      // One that comes back at once keeps its connection.
      queueMicrotask(() => {
        if (made.leases > 0) return;
        client.destroy();
        // Hidden and not unmounted: it comes back with another.
        keep((kept) => (kept === made ? null : kept));
      });
    };
  }, [made, word, newestToken]);
  useConnected(given);

  return createElement(ClientContext, { value: given ?? made?.client ?? null }, children);
}

/** As `RealtimeProvider`, for a client of `createEventClient`: pulls no Yjs into the bundle. */
export function EventClientProvider({ client, children }: { client: EventClient<OwnEvents>; children?: ReactNode }): ReactNode {
  useConnected(client);
  return createElement(ClientContext, { value: client }, children);
}

function useConnected(client: EventClient<OwnEvents> | undefined): void {
  useEffect(() => {
    if (client?.status.get().state === 'idle') void client.connect();
  }, [client]);
}

function make(props: OwnClient & { children?: ReactNode }): Made {
  const { client: _none, children: _shown, ...options } = props;
  const { url, path } = options;
  // On a server there is no page whose address it could take, and nothing connects.
  const address = url ?? (globalThis.location === undefined ? 'http://localhost' : undefined);
  // The token is given again when it connects.
  return { client: createClient({ ...options, url: address }), url, path, leases: 0 };
}

async function askNewest(newest: { readonly current: TokenSource | undefined }): Promise<string> {
  const source = newest.current;
  return typeof source === 'function' ? source() : (source ?? '');
}
