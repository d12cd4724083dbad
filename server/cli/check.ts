import { AshlarError } from '../../shared/errors.ts';
import { processEnv, readDataDir } from '../config.ts';
import { createDocumentWorkers, type DocumentWorkers } from '../documents/worker/document-workers.ts';
import { openForCheck, type StoredDocument } from '../storage/sqlite/open-for-check.ts';
import { createSystemClock } from '../system-clock.ts';
import { count, describeDamage, describeRoom, summarize } from './describe-verification.ts';

export interface CheckFlags {
  dataDir?: string;
}

/**
 * Reads everything that is stored, loads every document, and prints what each room holds.
 * @param file a database in place of the data folder's
 * @returns whether everything is sound
 * @throws AshlarError a server uses the folder, there is no such file, or it cannot even be opened
 */
export async function check(file: string | undefined, flags: CheckFlags): Promise<boolean> {
  using database = await openForCheck(readDataDir(processEnv(), flags.dataDir), file);
  const { verification } = database;
  for (const room of verification.rooms) process.stdout.write(`${describeRoom(room)}\n`);

  const workers = createDocumentWorkers({ clock: createSystemClock() });
  const damage = describeDamage(verification);
  let loaded = 0;
  try {
    for (const document of database.documents()) {
      const wrong = await whatDoesNotLoad(workers, document);
      if (wrong === null) loaded += 1;
      else damage.push(`DAMAGED ${document.room}: ${wrong}`);
    }
  } finally {
    await workers.close();
  }

  for (const line of damage) process.stdout.write(`${line}\n`);
  const verdict =
    damage.length === 0 ? 'sound' : 'DAMAGED: what is named above is not handed out; ashlar restore puts a backup in its place';
  process.stdout.write(`${database.file}: ${summarize(verification)}, ${count(loaded, 'document')} loaded: ${verdict}\n`);
  if (database.restoreUnfinished) {
    process.stdout.write('A restore was killed on its way here: this is what was there before, and what the next start has.\n');
  }
  return damage.length === 0;
}

/** In the thread and under the limits in which the server compacts documents. */
async function whatDoesNotLoad(workers: DocumentWorkers, { snapshot, records }: StoredDocument): Promise<string | null> {
  try {
    const { bad } = await workers.quarantine({ state: snapshot?.state ?? null, updates: records.map(({ payload }) => payload) });
    if (bad.length === 0) return null;
    const named = bad.slice(0, 10).map((index) => `${records[index]?.seq} by ${records[index]?.userId ?? 'the backend'}`);
    return `it does not load without leaving out ${bad.length} of its records: ${named.join(', ')}${bad.length > 10 ? ', …' : ''}`;
  } catch (thrown) {
    const error = AshlarError.from(thrown);
    if (error.code !== 'document-damaged') throw error;
    return `it does not load: ${error.detail}`;
  }
}
