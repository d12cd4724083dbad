import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { TestServer } from './start-server.ts';

/** An old copy of a whole data folder. */
export interface OldCopy extends AsyncDisposable {
  /** Of a server to be started: as it was when the copy was made, until something else is written. */
  readonly dataDir: string;
  /** Stops that server and puts the copy back. */
  again(server: TestServer): Promise<void>;
}

/**
 * Stops a server and keeps a copy of its folder, so that its log can go back.
 * @param withoutKey each copy that is put back has lost what positions are sealed with: nobody can prove anything to it
 */
export async function putBack(server: TestServer, { withoutKey = false } = {}): Promise<OldCopy> {
  const folder = await mkdtemp(join(tmpdir(), 'ashlar-put-back-'));
  const [dataDir, copy] = [join(folder, 'data'), join(folder, 'copy')];
  await server.stop();
  await cp(server.dataDir, copy, { recursive: true });
  await cp(copy, dataDir, { recursive: true });
  return {
    dataDir,
    async again(running) {
      await running.stop();
      await rm(dataDir, { recursive: true });
      await cp(copy, dataDir, { recursive: true });
      if (!withoutKey) return;
      const db = new Database(join(dataDir, 'ashlar.db'));
      db.exec('UPDATE counters SET positionKey = randomblob(32)');
      db.close();
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
