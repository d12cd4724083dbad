import * as Y from 'yjs';
import type { DocumentClient, DocumentClientOptions } from '../clients/document-client.ts';
import { expect, type Scenario } from '../scenario.ts';
import { Deadline, inPace, inParallel, percentile, settle, settleStored, TEXT, typeText } from '../support.ts';

const BEFORE = 1_000;
const RETURNING = 50;
const PACE_MS = 5;

/** People who were in a document lose their connection, others type on, and one after the other comes back for what was missed. */
export const catchUp: Scenario = {
  name: 'catch-up',
  title: `${RETURNING} people come back, one after the other, to a document that went on without them (1,000 updates of others, quick: 500)`,
  metrics: [
    { name: 'cpu', unit: 'ms server CPU per return, handshake included', base: 'ashlar' },
    { name: 'p50', unit: 'ms until one has it, p50' },
    { name: 'p99', unit: 'ms, p99' },
    { name: 'bytes', unit: 'KiB of updates for each' },
  ],
  takes: ({ keeps }) => keeps,
  rounds: { quick: 1, full: 3 },
  async run(round) {
    const missed = round.quick ? 500 : 1_000;
    const typing = typeText(BEFORE + missed);
    const clients: DocumentClient[] = [];
    let returned = 0;
    const deadline = new Deadline(180, () => `${returned} of ${RETURNING} have come back`);
    const server = await round.start();
    const connect = (user: string, onUpdate: (update: Uint8Array) => void, more: Partial<DocumentClientOptions> = {}) =>
      round.candidate.connect({ port: server.port, document: 'minutes', user, onUpdate, onFailure: deadline.fail, ...more });
    try {
      const writer = await deadline.race(connect('writer', () => undefined, { clientId: typing.clientId }));
      clients.push(writer);
      /** One who stays. */
      const staying = new Y.Doc();
      let onChange: () => void = () => undefined;
      clients.push(
        await deadline.race(
          connect('staying', (update) => {
            Y.applyUpdate(staying, update);
            onChange();
          }),
        ),
      );
      const type = async (from: number, to: number): Promise<void> => {
        await inPace(to - from, PACE_MS, (number) => writer.send(typing.updates[from + number] as Uint8Array));
        await new Promise<void>((resolve) => {
          onChange = () => {
            if (staying.getText(TEXT).length === to) resolve();
          };
          onChange();
        });
      };
      const leaving = await deadline.race(
        inParallel(RETURNING, 10, async (index) => {
          const doc = new Y.Doc();
          let whole: () => void = () => undefined;
          const whenWhole = new Promise<void>((resolve) => {
            whole = resolve;
          });
          const client = await connect(`away-${index}`, (update) => {
            Y.applyUpdate(doc, update);
            if (doc.getText(TEXT).length === BEFORE) whole();
          });
          return { client, doc, whenWhole };
        }),
      );
      await deadline.race(type(0, BEFORE));
      await deadline.race(Promise.all(leaving.map(({ whenWhole }) => whenWhole)));
      const away = leaving.map(({ client, doc }) => {
        const position = client.position?.();
        client.close();
        return { doc, since: { stateVector: Y.encodeStateVector(doc), ...(position && { position }) } };
      });
      await deadline.race(type(BEFORE, BEFORE + missed));
      await deadline.race(settleStored(server));
      const before = await server.usage();
      const times: number[] = [];
      let bytes = 0;
      for (const { doc, since } of away) {
        const startedAt = performance.now();
        await deadline.race(
          new Promise<void>((resolve, reject) => {
            const onUpdate = (update: Uint8Array): void => {
              bytes += update.length;
              Y.applyUpdate(doc, update);
              if (doc.getText(TEXT).length === typing.text.length) resolve();
            };
            connect(`away-${returned}`, onUpdate, { since }).then((client) => clients.push(client), reject);
          }),
        );
        times.push(performance.now() - startedAt);
        returned += 1;
      }
      await deadline.race(settle(server));
      const after = await server.usage();
      expect(
        away.every(({ doc }) => doc.getText(TEXT).toString() === typing.text),
        'each who came back holds the text',
      );
      const sorted = Float64Array.from(times).sort();
      return {
        cpu: (after.cpu - before.cpu) / 1_000 / RETURNING,
        p50: percentile(sorted, 0.5),
        p99: percentile(sorted, 0.99),
        bytes: bytes / 1_024 / RETURNING,
      };
    } finally {
      deadline.end();
      for (const client of clients) client.close();
    }
  },
};
