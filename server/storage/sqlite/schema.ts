import { AshlarError } from '../../../shared/errors.ts';
import type { Db, Sqlite } from './load-sqlite.ts';

/** 'Ashl': tells our files from any other program's. */
const APPLICATION_ID = 0x4173686c;

/**
 * One step per schema version; step n makes version n + 1. Never edited once released.
 *
 * Rooms have small numbers inside, so that each record's key takes a few bytes. `records` is clustered by (room, seq): an append
 * writes to the end of its room, a replay reads pages in order. Every row but the counters carries a checksum over its content.
 */
const MIGRATIONS = [
  `
  CREATE TABLE counters (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    fence INTEGER NOT NULL,
    probes INTEGER NOT NULL
  ) STRICT;
  INSERT INTO counters VALUES (1, 0, 0);

  CREATE TABLE rooms (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    head INTEGER NOT NULL,
    headEpoch TEXT,
    trimmedTo INTEGER NOT NULL,
    trimmedEpoch TEXT,
    purgedTo INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    incarnation TEXT NOT NULL,
    bornAfter INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    written INTEGER NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX roomsListed ON rooms (name) WHERE written = 1 AND deleted = 0;
  CREATE INDEX roomsToPurge ON rooms (id) WHERE purgedTo < trimmedTo;

  CREATE TABLE records (
    room INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    userId TEXT,
    kind TEXT NOT NULL,
    epoch TEXT NOT NULL,
    version INTEGER NOT NULL,
    id TEXT,
    session TEXT,
    counter INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (room, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX recordsById ON records (room, userId, id) WHERE id IS NOT NULL;

  CREATE TABLE clocks (
    room INTEGER NOT NULL,
    clientId INTEGER NOT NULL,
    userId TEXT,
    clock INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (room, clientId)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE sessions (
    room INTEGER NOT NULL,
    session TEXT NOT NULL,
    userId TEXT NOT NULL,
    clientId INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (room, session)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE states (
    room INTEGER NOT NULL,
    event TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    rev INTEGER NOT NULL,
    at INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (room, event, key)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE snapshots (
    room INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    epoch TEXT NOT NULL,
    checksum INTEGER NOT NULL,
    stateVector BLOB NOT NULL,
    state BLOB NOT NULL
  ) STRICT;

  CREATE TABLE grants (
    room TEXT NOT NULL,
    userId TEXT NOT NULL,
    access TEXT NOT NULL,
    at INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (room, userId)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE keys (
    userId TEXT NOT NULL,
    key TEXT NOT NULL,
    requestHash TEXT NOT NULL,
    answer TEXT NOT NULL,
    at INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (userId, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX keysByAge ON keys (at);
  `,
  // What counted the proofs that the store can write now counts every commit: a witness outside the database knows it too.
  'ALTER TABLE counters RENAME COLUMN probes TO commits;',
  // Records that damage their document, taken out of its log and kept.
  `
  CREATE TABLE quarantined (
    room INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    userId TEXT,
    kind TEXT NOT NULL,
    epoch TEXT NOT NULL,
    version INTEGER NOT NULL,
    id TEXT,
    session TEXT,
    counter INTEGER NOT NULL,
    reason TEXT NOT NULL,
    quarantinedAt INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (room, seq)
  ) STRICT, WITHOUT ROWID;
  `,
  // What positions are sealed with. It belongs to the log, and goes with every copy of it.
  'ALTER TABLE counters ADD COLUMN positionKey BLOB; UPDATE counters SET positionKey = randomblob(32);',
];

const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Reads whose file this is, and changes nothing.
 * @throws AshlarError `storage-unavailable` where it is another program's, or a newer Ashlar's
 */
export function checkSchema(db: Db): void {
  const version = db.pragma('user_version', { simple: true }) as number;
  const owner = db.pragma('application_id', { simple: true }) as number;
  if (isEmpty(db)) return;
  if (owner !== APPLICATION_ID) {
    throw new AshlarError('storage-unavailable', { detail: `${db.name} is not an Ashlar database: choose another data folder` });
  }
  if (version > SCHEMA_VERSION) {
    throw new AshlarError('storage-unavailable', {
      detail: `${db.name} was written by a newer Ashlar (schema ${version}, this one knows ${SCHEMA_VERSION}): upgrade ashlar`,
    });
  }
}

/** Whether nobody has made anything in this file yet. */
export function isEmpty(db: Db): boolean {
  const marks = ['user_version', 'application_id'].map((name) => db.pragma(name, { simple: true }));
  const tables = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() as number;
  return tables === 0 && marks.every((mark) => mark === 0);
}

/** Bytes of a database's header: https://www.sqlite.org/fileformat2.html#the_database_header */
export const HEADER_BYTES = 100;

/** The schema version that a file would be migrated from, by its header; null where it has this one already, or is not ours. */
export function migratedFrom(header: Uint8Array): number | null {
  if (header.length < HEADER_BYTES) return null;
  const view = new DataView(header.buffer, header.byteOffset, HEADER_BYTES);
  const version = view.getUint32(60);
  return view.getUint32(68) === APPLICATION_ID && version > 0 && version < SCHEMA_VERSION ? version : null;
}

/** Brings the file to this schema, in one transaction. @returns whether it had another */
export function migrate(db: Db): boolean {
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version === SCHEMA_VERSION) return false;
  db.transaction(() => {
    for (const step of MIGRATIONS.slice(version)) db.exec(step);
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${SCHEMA_VERSION}`);
  }).immediate();
  return true;
}

/** Whether the tables and indexes are those that this schema version makes: their definitions carry no checksum. */
export function hasItsSchema(Sqlite: Sqlite, db: Db): boolean {
  const version = db.pragma('user_version', { simple: true }) as number;
  const model = new Sqlite(':memory:');
  try {
    for (const step of MIGRATIONS.slice(0, version)) model.exec(step);
    return describe(db) === describe(model);
  } finally {
    model.close();
  }
}

function describe(db: Db): string {
  const columns = db.prepare(
    `SELECT s.name AS owner, c.* FROM sqlite_schema s JOIN pragma_table_xinfo(s.name) c WHERE s.type = 'table' ORDER BY s.name, c.cid`,
  );
  const indexes = db.prepare(
    `SELECT s.name AS owner, s.tbl_name, c.* FROM sqlite_schema s JOIN pragma_index_xinfo(s.name) c WHERE s.type = 'index'
     ORDER BY s.name, c.seqno`,
  );
  return JSON.stringify([columns.all(), indexes.all()]);
}
