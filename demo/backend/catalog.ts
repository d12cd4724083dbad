import type { RealtimeServer } from 'ashlar/server';

interface Changes {
  readonly added: number;
  readonly modified: number;
  readonly deleted: number;
}

export interface Catalog {
  /** Changes the catalog, and tells everybody. @param changes default: a few at random */
  change(changes?: Changes): Promise<void>;
  stop(): void;
}

const EVERY_MS = 45_000;

/** A catalog that changes now and then by itself, as one with several editors does. */
export function createCatalog(realtime: RealtimeServer): Catalog {
  const change = async (changes: Changes = someChanges()): Promise<void> => {
    await realtime.broadcast('catalog:updated', { updatedAt: new Date().toISOString(), changes });
  };
  const timer = setInterval(() => {
    change().catch((error: unknown) => console.error('demo: catalog:', error));
  }, EVERY_MS);
  return { change, stop: () => clearInterval(timer) };
}

function someChanges(): Changes {
  const upTo = (most: number): number => Math.floor(Math.random() * (most + 1));
  return { added: upTo(6), modified: 1 + upTo(20), deleted: upTo(3) };
}
