import type { Db } from '../../server/storage/sqlite/load-sqlite.ts';
import type { Writer } from '../../server/storage/sqlite/writer.ts';
import type { NewRecord, RoomLease } from '../../server/storage/store.ts';
import { AshlarError } from '../../shared/errors.ts';
import { parseRoomName } from '../../shared/room-name.ts';

const room = parseRoomName('doc:a');

export const record = (text: string): NewRecord => ({
  at: 1,
  userId: 'anna',
  kind: 'k',
  payload: Buffer.from(text),
  version: 1,
  id: null,
  session: null,
  counter: 0,
});

export function lease(writer: Writer, name = room): RoomLease {
  const [opened] = writer.open([name]);
  if (!opened || opened instanceof AshlarError) throw opened ?? new Error('no answer');
  return opened;
}

export function appendTo(writer: Writer, { fence, head }: RoomLease, ...texts: string[]) {
  return writer.append({ appends: [{ room, fence, expectedHead: head, records: texts.map(record) }] })[0];
}

/** The connection, with one statement that fails as told, and a count of checkpoints. */
export function faultyDb(db: Db, plan: { onCommit?: (commit: () => unknown) => unknown; onCheckpoint?: () => void }): Db {
  return new Proxy(db, {
    get(target, name) {
      if (name === 'prepare') {
        return (sql: string) => {
          const statement = target.prepare(sql);
          if (sql !== 'COMMIT') return statement;
          return { run: () => (plan.onCommit ? plan.onCommit(() => statement.run()) : statement.run()) };
        };
      }
      if (name === 'pragma') {
        return (sql: string, options?: { simple?: boolean }) => {
          if (sql === 'wal_checkpoint(TRUNCATE)') plan.onCheckpoint?.();
          return target.pragma(sql, options);
        };
      }
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
