import { AshlarError } from '../../../shared/errors.ts';

/**
 * What a failure of SQLite means to the platform: `storage-full`, `storage-damaged` or `storage-unavailable`.
 * An AshlarError stays as it is.
 */
export function storageError(thrown: unknown, room?: string): AshlarError {
  if (thrown instanceof AshlarError) return thrown;
  const code = sqliteCode(thrown);
  const detail = `${thrown instanceof Error ? thrown.message : String(thrown)}${code ? ` (${code})` : ''}`;
  if (code === 'SQLITE_FULL') return new AshlarError('storage-full', { detail, room, cause: thrown });
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') return damaged(detail, room, thrown);
  return new AshlarError('storage-unavailable', { detail, room, cause: thrown });
}

export function damaged(what: string, room?: string, cause?: unknown): AshlarError {
  return new AshlarError('storage-damaged', { detail: `${what}; restore a backup`, room, cause });
}

function sqliteCode(thrown: unknown): string {
  const code = (thrown as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}
