import * as Y from 'yjs';
import type { DocumentClient } from '../clients/document-client.ts';
import { expect, type Scenario } from '../scenario.ts';
import { countTyped, Deadline, inPace, inParallel, settle, TEXT, typeText, wait } from '../support.ts';

const MEMBERS = 5;
const PACE_MS = 500;

/** Everybody types, twice a second, each in one of many documents with a few others: no single room has much to do, the server has. */
export const manyRooms: Scenario = {
  name: 'many-rooms',
  title: `Many documents of ${MEMBERS} people who all type, 2 updates/s each`,
  metrics: [
    { name: 'cpu', unit: 'µs server CPU per delivery', base: 'raw' },
    { name: 'perUpdate', unit: 'µs server CPU per update' },
  ],
  takes: () => true,
  rounds: { quick: 2, full: 3 },
  async run(round) {
    const rooms = round.quick ? 40 : 100;
    const [warm, count] = [10, round.quick ? 16 : 40];
    const people = Array.from({ length: rooms * MEMBERS }, (_, index) => typeText(warm + count, index));
    const expected = rooms * MEMBERS * (MEMBERS - 1);
    const clients: DocumentClient[] = [];
    const reader = new Y.Doc();
    let received = 0;
    let awaited = Number.POSITIVE_INFINITY;
    let onAwaited: () => void = () => undefined;
    const deadline = new Deadline(180, () => `${received} of ${expected * (warm + count)} characters`);
    const until = (characters: number): Promise<void> => {
      if (received >= characters) return Promise.resolve();
      awaited = characters;
      return new Promise((resolve) => {
        onAwaited = resolve;
      });
    };
    try {
      const server = await round.start();
      await deadline.race(
        inParallel(people.length, 10, async (index) => {
          const room = Math.floor(index / MEMBERS);
          clients[index] = await round.candidate.connect({
            port: server.port,
            document: `room-${room}`,
            user: `user-${index}`,
            clientId: people[index]?.clientId as number,
            onUpdate: (update) => {
              if (index === 0) Y.applyUpdate(reader, update);
              received += countTyped(update, people[index]?.clientId);
              if (received >= awaited) onAwaited();
            },
            onFailure: deadline.fail,
          });
        }),
      );
      const type = async (from: number, to: number): Promise<void> => {
        await Promise.all(
          people.map(async ({ updates }, index) => {
            // Not all at once: people do not type in step.
            await wait((index / people.length) * PACE_MS);
            await inPace(to - from, PACE_MS, (number) => clients[index]?.send(updates[from + number] as Uint8Array));
          }),
        );
        await until(expected * to);
      };
      await deadline.race(type(0, warm));
      await deadline.race(settle(server));
      const before = await server.usage();
      await deadline.race(type(warm, warm + count));
      const after = await server.usage();
      expect(received === expected * (warm + count), `each has each character once, there were ${received}`);
      // Whether or not the server sends back what the first one typed itself.
      if (people[0] !== undefined) Y.applyUpdate(reader, Y.mergeUpdates([...people[0].updates]));
      const texts = people.slice(0, MEMBERS).reduce((sum, { text }) => sum + text.length, 0);
      expect(reader.getText(TEXT).length === texts, 'the first one holds what its room typed');
      const cpu = after.cpu - before.cpu;
      return { cpu: cpu / (expected * count), perUpdate: cpu / (people.length * count) };
    } finally {
      deadline.end();
      for (const client of clients) client?.close();
    }
  },
};
