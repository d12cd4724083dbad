import { openForReading } from './connection.ts';
import { loadSqlite } from './load-sqlite.ts';
import { packRecords, type Question, type ReaderCalls } from './messages.ts';
import { createReader } from './reader.ts';
import { openLine } from './serve.ts';

// The thread that reads: a long replay or a large snapshot delays no commit.
const line = openLine();

await line.start(async () => {
  const reader = createReader(openForReading(await loadSqlite(), line.settings.path));

  const run = (call: keyof ReaderCalls, args: readonly unknown[]): { value: unknown; transfer?: ArrayBuffer[] } => {
    const value = (reader[call] as (...given: readonly unknown[]) => unknown)(...args);
    if (value === null) return { value };
    if (call === 'read') {
      const { buffer, records } = packRecords(value as ReturnType<ReaderCalls['read']>);
      return { value: records, transfer: [buffer] };
    }
    if (call === 'readSnapshot') {
      const snapshot = value as NonNullable<ReturnType<ReaderCalls['readSnapshot']>>;
      const [state, stateVector] = [new Uint8Array(snapshot.state), new Uint8Array(snapshot.stateVector)];
      return { value: { ...snapshot, state, stateVector }, transfer: [state.buffer, stateVector.buffer] };
    }
    if (call === 'findById') {
      const { buffer, records } = packRecords([value as NonNullable<ReturnType<ReaderCalls['findById']>>]);
      return { value: records[0], transfer: [buffer] };
    }
    return { value };
  };

  return ({ id, call, args }: Question) => {
    line.answer(id, () => run(call as keyof ReaderCalls, args));
    if (call === 'close') line.port.close();
  };
});
