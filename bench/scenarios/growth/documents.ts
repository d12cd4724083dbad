import type { DocumentClient } from '../../clients/document-client.ts';
import { expect, type Scenario } from '../../scenario.ts';
import { countTyped, Deadline, inPace, inParallel, typeText } from '../../support.ts';
import { cpuOf, FACTORS, growthMetrics } from './growth.ts';

const DOCUMENTS = 20;
const PACE_MS = 5;
const WARM = 600;

/** The same number of updates a second, over fewer and more documents of two people. */
export const growthDocuments: Scenario = {
  name: 'growth-documents',
  title: 'Growth: an update, 200/s in all, by the documents that they go to (one writer, one reader in each)',
  metrics: growthMetrics('µs server CPU per update', ['20 documents', '80', '320']),
  takes: () => true,
  rounds: { quick: 1, full: 3 },
  async run(round) {
    const each = round.quick ? 640 : 1_280;
    const clients: DocumentClient[] = [];
    const typings = Array.from({ length: DOCUMENTS * 16 }, (_, index) => typeText(WARM / DOCUMENTS + each / 8, index));
    const next = typings.map(() => 0);
    const writers: DocumentClient[] = [];
    let sent = 0;
    let received = 0;
    let onReceived: () => void = () => undefined;
    const deadline = new Deadline(180, () => `${received} of ${sent} updates`);
    const server = await round.start();
    const open = async (document: number): Promise<void> => {
      const common = { port: server.port, document: `page-${document}`, onFailure: deadline.fail };
      const onUpdate = (update: Uint8Array): void => {
        received += countTyped(update);
        onReceived();
      };
      const reader = await round.candidate.connect({ ...common, user: `reader-${document}`, onUpdate });
      const { clientId } = typings[document] as { clientId: number };
      const writer = await round.candidate.connect({
        ...common,
        user: `writer-${document}`,
        clientId,
        onUpdate: () => undefined,
      });
      writers[document] = writer;
      clients.push(reader, writer);
    };
    const type = async (documents: number, count: number): Promise<void> => {
      await inPace(count, PACE_MS, (number) => {
        const document = number % documents;
        const update = typings[document]?.updates[next[document] as number];
        writers[document]?.send(update as Uint8Array);
        (next[document] as number) += 1;
        sent += 1;
      });
      await new Promise<void>((resolve) => {
        onReceived = () => {
          if (received >= sent) resolve();
        };
        onReceived();
      });
    };
    try {
      const figures: Record<string, number> = {};
      for (const factor of FACTORS) {
        const documents = factor * DOCUMENTS;
        const opened = writers.length;
        await deadline.race(inParallel(documents - opened, 10, (index) => open(opened + index)));
        if (factor === 1) await deadline.race(type(documents, WARM));
        figures[`x${factor}`] = (await cpuOf(server, deadline, () => type(documents, each))) / each;
      }
      expect(received === sent, `each reader has each character once: ${sent}, there were ${received}`);
      return figures;
    } finally {
      deadline.end();
      for (const client of clients) client.close();
    }
  },
};
