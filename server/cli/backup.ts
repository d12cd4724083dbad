import { AshlarError } from '../../shared/errors.ts';
import { processEnv, readDataDir } from '../config.ts';
import { backUp } from '../storage/sqlite/backup.ts';
import { describeDamage, summarize } from './describe-verification.ts';

export interface BackupFlags {
  force?: true;
  dataDir?: string;
}

/**
 * Takes a backup and says what is in it.
 * @returns whether all of it is sound
 * @throws AshlarError the file is there, there is nothing to back up, or the disk fails
 */
export async function backup(file: string, flags: BackupFlags): Promise<boolean> {
  if (file === '') throw new AshlarError('invalid-options', { detail: 'the backup needs a name' });
  const dataDir = readDataDir(processEnv(), flags.dataDir);
  const outcome = await backUp({ dataDir, file, overwrite: flags.force === true, processId: process.pid });
  if (outcome.sound) {
    process.stdout.write(`${outcome.file}: ${summarize(outcome.verification)}, read back and sound\n`);
    return true;
  }
  for (const line of describeDamage(outcome.verification)) console.error(line);
  console.error(
    `The data is damaged, and so is this copy of it: ${outcome.file}. No backup was made; earlier ones are as they were.`,
  );
  return false;
}
