import { processEnv, readDataDir } from '../config.ts';
import { restore as restoreFile } from '../storage/sqlite/restore.ts';
import { createSystemClock } from '../system-clock.ts';
import { describeDamage, summarize } from './describe-verification.ts';

export interface RestoreFlags {
  force?: true;
  dataDir?: string;
}

/**
 * Puts a backup in the place of the data folder's database and says where the old one is.
 * @returns whether it did: not where the backup is damaged, but for `--force`
 * @throws AshlarError a server uses the folder, there is no such backup, or the disk fails
 */
export async function restore(file: string, flags: RestoreFlags): Promise<boolean> {
  const dataDir = readDataDir(processEnv(), flags.dataDir);
  const now = createSystemClock().now();
  const outcome = await restoreFile({ file, dataDir, evenDamaged: flags.force === true, now });
  for (const line of describeDamage(outcome.verification)) console.error(line);
  if (!outcome.restored) {
    console.error(`${file} is damaged and was not restored; the data folder is as it was. --force restores what is in it.`);
    return false;
  }
  process.stdout.write(`Restored ${file} into ${dataDir}: ${summarize(outcome.verification)}\n`);
  if (outcome.keptIn !== null) process.stdout.write(`What was there before is kept in ${outcome.keptIn}\n`);
  process.stdout.write('The next start says storage:went-back: clients are told that their positions are of another log.\n');
  return true;
}
