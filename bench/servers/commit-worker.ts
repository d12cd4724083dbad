import { parentPort, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';

const db = new Database(workerData as string);
db.pragma('journal_mode = WAL');
db.pragma('synchronous = FULL');
db.exec('CREATE TABLE IF NOT EXISTS records (seq INTEGER PRIMARY KEY, payload BLOB NOT NULL)');
const insert = db.prepare('INSERT INTO records (payload) VALUES (?)');
const append = db.transaction((updates: readonly Uint8Array[]) => {
  for (const update of updates) insert.run(update);
});
parentPort?.on('message', (updates: readonly Uint8Array[]) => {
  append(updates);
  parentPort?.postMessage(null);
});
