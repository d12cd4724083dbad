import { randomBytes } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AshlarError } from '../../shared/errors.ts';
import { makeFolder } from '../storage/make-folder.ts';

/**
 * The secret of a development server: drawn at random on first use and kept in `<dataDir>/secret`, readable by its owner alone,
 * so that tokens outlive a restart.
 * @throws AshlarError `invalid-options` where the file cannot be read or written, or is too short to be ours
 */
export function developmentSecret(dataDir: string): string {
  const file = join(dataDir, 'secret');
  try {
    makeFolder(dataDir);
    // `wx`: never over a secret that is there.
    writeFileSync(file, `${randomBytes(48).toString('base64url')}\n`, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(file, cause);
  }
  const secret = readSecret(file);
  if (secret.length >= 32) return secret;
  throw new AshlarError('invalid-options', {
    detail: `${file} holds ${secret.length} characters, 32 are needed: delete it, and a new one is made`,
  });
}

function readSecret(file: string): string {
  try {
    // A named pipe would be waited for.
    if (statSync(file).isFile()) return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw unusable(file, cause);
  }
  throw unusable(file, { code: 'not a file' });
}

function unusable(file: string, cause: unknown): AshlarError {
  const reason = (cause as NodeJS.ErrnoException).code ?? 'unreadable';
  return new AshlarError('invalid-options', {
    cause,
    detail: `${file}: ${reason}; set JWT_SECRET, or DATA_DIR to a folder of yours`,
  });
}
