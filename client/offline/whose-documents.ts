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

export interface WhoseOptions {
  /** The user of the page, where it knows: then nobody else's are opened before the server has named somebody. */
  readonly userId: string | null;
  /** Called once nobody can be asked for now and no documents may be opened. They are once somebody can. */
  readonly onUndecided: () => void;
}

/**
 * Whose documents may be opened: those of the user whom the server verified now; without it those of the page's own, and where it does not
 * know, of the one whom the server verified last, once there is no network to ask, or the token at hand names the same. Never while
 * a token at hand names somebody else, nor once the server refused. Waits until that is decided.
 */
export async function whoseDocuments(
  connector: Pick<Connector, 'session' | 'status' | 'token'>,
  storage: Pick<OfflineStorage, 'lastUser'>,
  env: Pick<Environment, 'after'>,
  { userId, onUndecided }: WhoseOptions,
): Promise<string> {
  const likely = userId ?? (await storage.lastUser());
  return new Promise((resolve) => {
    let patient = true;
    const decide = (): void => {
      const user = connector.session.get()?.user.id ?? (mayOpen() ? likely : null);
      if (user === null) {
        if (!mayHear()) onUndecided();
        return;
      }
      for (const stop of stops) stop();
      resolve(user);
    };
    /** The server has not been asked, and may answer yet. */
    const mayHear = (): boolean => {
      const { state } = connector.status.get();
      return patient && (state === 'connecting' || state === 'idle');
    };
    const mayOpen = (): boolean => {
      const named = connector.token === null ? null : userOfToken(connector.token);
      const status = connector.status.get();
      if (likely === null || status.state === 'refused' || (named !== null && named !== likely)) return false;
      if (named === likely || userId !== null) return true;
      if (status.state === 'reconnecting') return status.cause !== 'refused';
      return !mayHear();
    };
    const impatient = (): void => {
      patient = false;
      decide();
    };
    const stops = [connector.session.subscribe(decide), connector.status.subscribe(decide), env.after(PATIENCE_MS, impatient)];
    decide();
  });
}
