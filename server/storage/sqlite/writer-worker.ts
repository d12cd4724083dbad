import { receiveMessageOnPort } from 'node:worker_threads';
import { AshlarError, invariant } from '../../../shared/errors.ts';
import type { RoomName } from '../../../shared/room-name.ts';
import { openForWriting } from './connection.ts';
import { loadSqlite } from './load-sqlite.ts';
import { type Question, sendError, type WriterCalls } from './messages.ts';
import { openLine } from './serve.ts';
import { storageError } from './storage-error.ts';
import { createWriter } from './writer.ts';

/** Rooms opened in one commit at most: a restart with thousands of rooms costs few syncs and holds up no append for long. */
const OPENS_AT_ONCE = 100;

// The one thread that writes.
const line = openLine();

await line.start(async () => {
  const { path, epoch, quota, maxPages } = line.settings;
  const db = openForWriting(await loadSqlite(), path, maxPages);
  const writer = createWriter(db, epoch, { quota, tellSpace: (space) => line.send({ type: 'space', space }) });
  let purging: NodeJS.Immediate | undefined;
  let closed = false;

  const openRooms = (questions: readonly Question[]): void => {
    const opened = writer.open(questions.map(({ args }) => args[0] as RoomName));
    for (const [index, { id }] of questions.entries()) {
      line.answer(id, () => {
        const lease = opened[index];
        invariant(lease, 'each room that was asked for is answered');
        if (lease instanceof AshlarError) throw lease;
        return { value: lease };
      });
    }
  };

  const run = ({ id, call, args }: Question): void => {
    const work = writer[call as Exclude<keyof WriterCalls, 'open'>] as (...given: readonly unknown[]) => unknown;
    line.answer(id, () => ({ value: work(...args) }));
    if (call === 'close') {
      closed = true;
      clearImmediate(purging);
      line.port.close();
    }
  };

  /** Takes cut records out of the table while nobody waits, one step between two looks at the port. */
  const purgeWhenIdle = (): void => {
    if (closed) return;
    clearImmediate(purging);
    // biome-ignore lint/style/noRestrictedGlobals: a thread's entry is an edge, and this is a turn of its loop, not a time.
    purging = setImmediate(() => {
      try {
        if (writer.purge()) purgeWhenIdle();
      } catch (thrown) {
        // Tried again after the next question.
        line.send({ type: 'warning', message: 'storage:purge-failed', error: sendError(storageError(thrown)) });
      }
    });
  };

  purgeWhenIdle();
  return (first: Question) => {
    const waiting = [first];
    for (let more = receiveMessageOnPort(line.port); more; more = receiveMessageOnPort(line.port)) waiting.push(more.message);
    while (waiting.length > 0) {
      const end = waiting.findIndex(({ call }, index) => call !== 'open' || index === OPENS_AT_ONCE);
      if (end === 0) run(waiting.shift() as Question);
      else openRooms(waiting.splice(0, end === -1 ? waiting.length : end));
    }
    // A transaction that cannot be ended makes this connection useless: the main thread starts another worker.
    if (!closed && db.inTransaction) throw new Error('a transaction could not be rolled back');
    purgeWhenIdle();
  };
});
