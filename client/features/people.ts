import type { Awareness } from 'y-protocols/awareness';
import type { PublicUser } from '../../shared/user.ts';
import type { Readable } from '../readable.ts';
import { snapshot } from '../snapshot.ts';
import { watched } from '../watched.ts';

/** One open editor of one user: who has a document open in two tabs is here twice. */
export interface Person<State = Record<string, unknown>> {
  /** The Yjs client id. */
  readonly clientId: number;
  /** From the token; null until the server has said it. */
  readonly user: PublicUser | null;
  /** All that is shared in awareness: cursor, selection, `user`, and whatever the product sets. */
  readonly state: Readonly<Partial<State>>;
  readonly isSelf: boolean;
}

/** Everybody in a document, oneself included, in the order of client ids. An entry keeps its identity until it changes. */
export function watchedPeople<State = Record<string, unknown>>(awareness: Awareness): Readable<readonly Person<State>[]> {
  const store = watched<readonly Person<State>[]>(snapshot([], read()), () => {
    const renew = (): void => store.set(snapshot(store.get(), read()));
    awareness.on('change', renew);
    renew();
    return [() => awareness.off('change', renew)];
  });
  return store;

  function read(): Person<State>[] {
    return [...awareness.getStates()]
      .map(([clientId, state]) => ({
        clientId,
        user: publicUser(state.user),
        state: state as Partial<State>,
        isSelf: clientId === awareness.clientID,
      }))
      .sort((left, right) => left.clientId - right.clientId);
  }
}

function publicUser(value: unknown): PublicUser | null {
  const { id, name, color } = (value ?? {}) as Partial<PublicUser>;
  return typeof id === 'string' && typeof name === 'string' && typeof color === 'string' ? { id, name, color } : null;
}
