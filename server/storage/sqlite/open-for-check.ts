import { isDocumentRoom, type RoomName } from '../../../shared/room-name.ts';
import type { LogRecord, Snapshot } from '../store.ts';
import { openForInspection } from './connection.ts';
import { dataFiles, lockDataFolder } from './data-folder.ts';
import { loadSqlite } from './load-sqlite.ts';
import { createReader } from './reader.ts';
import { storageError } from './storage-error.ts';
import { wholeDatabase } from './undo-restore.ts';
import { type Verification, verifyDatabase } from './verify.ts';

/** A document as it is stored: what it takes to load it. */
export interface StoredDocument {
  readonly room: RoomName;
  readonly snapshot: Snapshot | null;
  /** Those after the snapshot, in order. */
  readonly records: readonly LogRecord[];
}

/** A database under check. */
export interface CheckedDatabase extends Disposable {
  readonly file: string;
  /** A restore was killed on its way: `file` is what it keeps, and what the next start puts back. */
  readonly restoreUnfinished: boolean;
  readonly verification: Verification;
  /** The documents in which no damage was found, one after the other. */
  documents(): Iterable<StoredDocument>;
}

/**
 * Opens a data folder that no server is using, or one database file such as a backup, and reads it whole. Changes nothing.
 * @param file in place of the data folder's
 * @throws AshlarError `storage-locked` where a server uses the folder; `invalid-options` where there is no such file;
 *   `storage-damaged` where it cannot even be opened; `storage-unavailable` where it is another program's or a newer Ashlar's
 */
export async function openForCheck(dataDir: string, file?: string): Promise<CheckedDatabase> {
  const Sqlite = await loadSqlite();
  const named = file ?? dataFiles(dataDir).database;
  // Looked for first, as taking the lock makes a file.
  openForInspection(Sqlite, named).close();
  const unlock = file === undefined ? lockDataFolder(Sqlite, dataDir) : () => undefined;
  try {
    const path = await wholeDatabase(named);
    const db = openForInspection(Sqlite, path);
    const verification = verifyDatabase(Sqlite, db);
    const reader = createReader(db);
    return {
      file: path,
      restoreUnfinished: path !== named,
      verification,
      *documents() {
        for (const { room, deleted, trimmedTo, head, damage } of verification.rooms) {
          if (deleted || damage.length > 0 || !isDocumentRoom(room)) continue;
          const name = room as RoomName;
          const snapshot = reader.readSnapshot(name);
          const records = reader.read(name, { after: snapshot?.seq ?? trimmedTo, limit: head });
          yield { room: name, snapshot, records };
        }
      },
      [Symbol.dispose]() {
        db.close();
        unlock();
      },
    };
  } catch (thrown) {
    unlock();
    throw storageError(thrown);
  }
}
