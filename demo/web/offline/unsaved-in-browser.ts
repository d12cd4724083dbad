import type { Client } from 'ashlar/client';

const PREFIX = 'ashlar-demo-unsaved:';

/**
 * Tells all tabs of this browser which documents this one has not saved: by a lock for each, which nobody waits for, and which goes with
 * the tab however that ends. @returns a function that ends it
 */
export function tellUnsaved({ unsavedDocuments }: Pick<Client, 'unsavedDocuments'>): () => void {
  const told = new Map<string, () => void>();
  const tell = (documents: readonly { readonly name: string }[]): void => {
    const names = new Set(documents.map(({ name }) => name));
    for (const name of names) if (!told.has(name)) told.set(name, hold(PREFIX + name));
    for (const [name, release] of told) {
      if (names.has(name)) continue;
      told.delete(name);
      release();
    }
  };
  const stop = unsavedDocuments.subscribe(tell);
  tell(unsavedDocuments.get());
  return () => {
    stop();
    tell([]);
  };
}

/** The names of documents that some tab has not saved, whoever is signed in there. */
export async function unsavedInBrowser(): Promise<readonly string[]> {
  const { held = [] } = (await locks()?.query()) ?? {};
  const names = held.flatMap(({ name }) => (name?.startsWith(PREFIX) ? [name.slice(PREFIX.length)] : []));
  return [...new Set(names)];
}

function hold(lock: string): () => void {
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  void locks()?.request(lock, { mode: 'shared' }, () => released);
  return release;
}

/** A page that did not come over HTTPS, nor from this machine, has none. */
function locks(): LockManager | undefined {
  return navigator.locks;
}
