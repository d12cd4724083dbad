/** What the SDK takes from its surroundings: time, chance and the network's word. As an argument, so that a test owns them. */
export interface Environment {
  /** Unix ms. */
  now(): number;
  /** In [0, 1). */
  random(): number;
  /** Random bytes, for ids and secrets. */
  randomBytes(bytes: number): Uint8Array;
  /** Runs `task` once after `ms`, or after 24 days. The returned function cancels. */
  after(ms: number, task: () => void): () => void;
  /** Makes the user confirm before the page is left, until the returned function is called. Absent where there is no page. */
  confirmUnload?(): () => void;
  network: {
    /** False only where the platform says so for sure. */
    online(): boolean;
    /** Tells of changes. The returned function ends that. */
    onChange(listener: (online: boolean) => void): () => void;
  };
}

// setTimeout beyond 2^31 - 1 ms fires at once. Nothing of the SDK is the worse for 24 days: a token is renewed, a wait ends.
const LONGEST_TIMEOUT_MS = 2_147_483_647;

function after(ms: number, task: () => void): () => void {
  const timer = setTimeout(task, Math.min(ms, LONGEST_TIMEOUT_MS));
  return () => clearTimeout(timer);
}

/** The window, where there is one that tells of events. */
function page(): Window | undefined {
  return typeof window !== 'undefined' && typeof window.addEventListener === 'function' ? window : undefined;
}

/** @returns a function that removes the listener */
function listen(name: string, listener: (event: Event) => void): () => void {
  const target = page();
  target?.addEventListener(name, listener);
  return () => target?.removeEventListener(name, listener);
}

/** The platform's own: a browser, a worker, Node. */
export function platformEnvironment(): Environment {
  return {
    now: () => Date.now(),
    random: () => Math.random(),
    randomBytes: (bytes) => globalThis.crypto.getRandomValues(new Uint8Array(bytes)),
    after,
    confirmUnload: () => listen('beforeunload', (event) => event.preventDefault()),
    network: {
      online: () => page()?.navigator?.onLine !== false,
      onChange(listener) {
        const stops = [listen('online', () => listener(true)), listen('offline', () => listener(false))];
        return () => {
          for (const stop of stops) stop();
        };
      },
    },
  };
}

/** A random word of `A-Za-z0-9_-`, 6 bits per character. */
export function randomWord(env: Environment, length: number): string {
  const base64 = btoa(String.fromCharCode(...env.randomBytes(length)));
  return base64.slice(0, length).replaceAll('+', '-').replaceAll('/', '_');
}
