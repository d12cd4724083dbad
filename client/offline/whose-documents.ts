import type { Connector } from '../connector.ts';
import type { Environment } from '../environment.ts';
import type { OfflineStorage } from './offline-storage.ts';

// A network that answers nothing counts as none after this long.
const PATIENCE_MS = 2_000;

/** The user whom a token names, unverified; null: it is none that can be read. */
export function userOfToken(token: string): string | null {
  try {
    const payload = token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    const { id, sub } = JSON.parse(new TextDecoder().decode(bytes)) as { id?: unknown; sub?: unknown };
    const user = id ?? sub;
    return typeof user === 'string' ? user : null;
  } catch {
    return null;
  }
}

/**
 * Whose documents may be opened: the user whom the server verified now; without it the one whom it verified last, once there is no network to
 * ask, or the token at hand names the same. Never while a token at hand names somebody else, nor once the server refused. Waits until that
 * is decided.
 */
export async function whoseDocuments(
  connector: Pick<Connector, 'session' | 'status' | 'token'>,
  storage: Pick<OfflineStorage, 'lastUser'>,
  env: Pick<Environment, 'after'>,
): Promise<string> {
  const last = await storage.lastUser();
  return new Promise((resolve) => {
    let patient = true;
    const decide = (): void => {
      const user = connector.session.get()?.user.id ?? (mayOpenLast() ? last : null);
      if (user === null) return;
      for (const stop of stops) stop();
      resolve(user);
    };
    const mayOpenLast = (): boolean => {
      const named = connector.token === null ? null : userOfToken(connector.token);
      const status = connector.status.get();
      if (last === null || status.state === 'refused' || (named !== null && named !== last)) return false;
      if (named === last) return true;
      if (status.state === 'reconnecting') return status.cause !== 'refused';
      return !(patient && (status.state === 'connecting' || status.state === 'idle'));
    };
    const impatient = env.after(PATIENCE_MS, () => {
      patient = false;
      decide();
    });
    const stops = [connector.session.subscribe(decide), connector.status.subscribe(decide), impatient];
    decide();
  });
}
