import type Database from 'better-sqlite3';
import { AshlarError } from '../../../shared/errors.ts';

export type Sqlite = typeof Database;
export type Db = Database.Database;
export type Statement = Database.Statement;

/**
 * Loads better-sqlite3, an optional dependency: a frontend that installs the package need not compile it.
 * @throws AshlarError `storage-unavailable`; its detail says what to install
 */
export async function loadSqlite(load: () => Promise<{ default: Sqlite }> = () => import('better-sqlite3')): Promise<Sqlite> {
  let Sqlite: Sqlite;
  try {
    Sqlite = (await load()).default;
  } catch (cause) {
    throw new AshlarError('storage-unavailable', {
      detail: 'the SQLite driver is not installed: npm install better-sqlite3',
      cause,
    });
  }
  try {
    // The compiled part is loaded by the first connection only.
    new Sqlite(':memory:').close();
  } catch (cause) {
    const said = cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause);
    throw new AshlarError('storage-unavailable', {
      detail: `the SQLite driver does not load on this Node.js, install it again: npm install better-sqlite3 (${said})`,
      cause,
    });
  }
  return Sqlite;
}
