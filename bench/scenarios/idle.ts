import type { DocumentClient } from '../clients/document-client.ts';
import type { Scenario } from '../scenario.ts';
import { Deadline, inParallel, settle, typeText } from '../support.ts';

/** Connections that do nothing, each in a document of its own that has one character. */
export const idle: Scenario = {
  name: 'idle',
  title: 'Memory per idle connection with one document of its own',
  metrics: [
    { name: 'rss', unit: 'KiB resident per connection', base: 'raw' },
    { name: 'heap', unit: 'KiB of JavaScript heap and buffers per connection' },
    { name: 'cpu', unit: 'ms server CPU per connect and join' },
  ],
  takes: () => true,
  rounds: { quick: 1, full: 3 },
  async run(round) {
    const count = round.quick ? 500 : 2_000;
    const clients: DocumentClient[] = [];
    const deadline = new Deadline(240, () => `${clients.length} of ${count} connections`);
    const connect = async (index: number): Promise<void> => {
      const typing = typeText(1, index);
      const client = await round.candidate.connect({
        port: server.port,
        document: `doc-${index}`,
        user: `user-${index}`,
        clientId: typing.clientId,
        onUpdate: () => undefined,
        onFailure: deadline.fail,
      });
      client.send(typing.updates[0] as Uint8Array);
      clients.push(client);
    };
    const server = await round.start();
    try {
      // The first hundred bring what a server makes once.
      await deadline.race(inParallel(100, 10, connect));
      await deadline.race(settle(server));
      const before = await server.usage(true);
      await deadline.race(inParallel(count, 10, (index) => connect(100 + index)));
      await deadline.race(settle(server));
      const after = await server.usage(true);
      return {
        rss: (after.rss - before.rss) / 1_024 / count,
        heap: (after.heap - before.heap) / 1_024 / count,
        cpu: (after.cpu - before.cpu) / 1_000 / count,
      };
    } finally {
      deadline.end();
      for (const client of clients) client.close();
    }
  },
};
