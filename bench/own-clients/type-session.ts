import type * as Y from 'yjs';
import { readEdits, type Transaction } from '../read-trace.ts';
import { answerParent } from '../servers/answer-parent.ts';
import type { OpenOwnClient, OwnClient } from './own-client.ts';

const TEXT = 'text';
/** Transactions in one turn of the event loop. */
const PER_TURN = 50;

// A process of its own: one writer and one reader of one candidate, each with the candidate's own client library.
const [candidate, port] = process.argv.slice(2) as [string, string];
const { open } = (await import(`./${candidate}.js`)) as { open: OpenOwnClient };
const transactions = readEdits();
let typed = 0;
let writer: OwnClient;
let reader: OwnClient;
let fail: (error: Error) => void = () => undefined;
const failure = new Promise<never>((_resolve, reject) => {
  fail = reject;
});
failure.catch(() => undefined);

answerParent(Number(port), {
  async join() {
    const options = { port: Number(port), document: 'blog', onFailure: fail };
    reader = await Promise.race([open({ ...options, user: 'reader' }), failure]);
    writer = await Promise.race([open({ ...options, user: 'writer' }), failure]);
  },
  /** Types up to a transaction; answers when the reader has them all, with the seconds that it took. */
  async type({ to }) {
    const startedAt = performance.now();
    while (typed < (to as number)) {
      for (const end = Math.min(typed + PER_TURN, to as number); typed < end; typed += 1) {
        typeOne(writer.doc, transactions[typed] as Transaction);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.race([whenRead(), failure]);
    return (performance.now() - startedAt) / 1_000;
  },
  async whenSaved() {
    await Promise.race([writer.whenSaved?.(), failure]);
  },
  text: () => reader.doc.getText(TEXT).toString(),
});

function typeOne(doc: Y.Doc, patches: Transaction): void {
  const text = doc.getText(TEXT);
  doc.transact(() => {
    for (const [at, deleted, inserted] of patches) {
      if (deleted > 0) text.delete(at, deleted);
      if (inserted !== '') text.insert(at, inserted);
    }
  });
}

/** The reader's text is the writer's. Deletions move no clock: behind the last one the texts are compared. */
function whenRead(): Promise<void> {
  const { clientID } = writer.doc;
  const clockIn = (doc: Y.Doc): number => {
    const last = doc.store.clients.get(clientID)?.at(-1);
    return last === undefined ? 0 : last.id.clock + last.length;
  };
  const clock = clockIn(writer.doc);
  const text = writer.doc.getText(TEXT).toString();
  return new Promise((resolve) => {
    const look = (): void => {
      if (clockIn(reader.doc) !== clock || reader.doc.getText(TEXT).toString() !== text) return;
      reader.doc.off('afterTransaction', look);
      resolve();
    };
    reader.doc.on('afterTransaction', look);
    look();
  });
}
