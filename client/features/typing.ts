import type { Environment } from '../environment.ts';

/** Somebody who types. */
export interface Typer {
  /** Null where the backend speaks. */
  readonly userId: string | null;
  readonly name: string | null;
}

// The server tells the end of typing by itself after 6 s; this is for an end that got lost.
const FORGOTTEN_AFTER_MS = 8_000;
// The server's 6 s are renewed in time, and not with every key.
const RENEW_AFTER_MS = 3_000;

/** Who types, as told; each ends by itself. */
export class Typers {
  readonly #env: Environment;
  readonly #changed: (typers: readonly Typer[]) => void;
  readonly #typers = new Map<string, { readonly typer: Typer; readonly cancel: () => void }>();

  constructor(env: Environment, changed: (typers: readonly Typer[]) => void) {
    this.#env = env;
    this.#changed = changed;
  }

  set(typer: Typer, isTyping: boolean): void {
    const key = typer.userId ?? '';
    const known = this.#typers.get(key);
    known?.cancel();
    if (isTyping) {
      const cancel = this.#env.after(FORGOTTEN_AFTER_MS, () => this.set(typer, false));
      this.#typers.set(key, { typer: known?.typer ?? typer, cancel });
    } else {
      this.#typers.delete(key);
    }
    if ((known !== undefined) !== isTyping) this.#tell();
  }

  clear(): void {
    if (this.#typers.size === 0) return;
    for (const { cancel } of this.#typers.values()) cancel();
    this.#typers.clear();
    this.#tell();
  }

  #tell(): void {
    this.#changed([...this.#typers.values()].map(({ typer }) => typer));
  }
}

/** Says that this user types: as often as a key is pressed, sent as often as it must be. */
export function createTypingSignal(env: Environment, send: (isTyping: boolean) => void): (isTyping: boolean) => void {
  let saidAt: number | null = null;
  return (isTyping) => {
    const now = env.now();
    // Also where the clock was put back.
    if (isTyping ? saidAt !== null && Math.abs(now - saidAt) < RENEW_AFTER_MS : saidAt === null) return;
    saidAt = isTyping ? now : null;
    send(isTyping);
  };
}
