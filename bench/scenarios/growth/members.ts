import type { DocumentClient } from '../../clients/document-client.ts';
import { expect, type Scenario } from '../../scenario.ts';
import { countTyped, Deadline, inPace, inParallel, type Typing, typeText } from '../../support.ts';
import { cpuOf, FACTORS, growthMetrics } from './growth.ts';

const MEMBERS = 10;
const PASSES = 2;
const PACE_MS = 50;
const WARM = 400;

/** One writer in documents with fewer and more readers. */
export const growthMembers: Scenario = {
  name: 'growth-members',
  title: 'Growth: a delivery, one writer at 20 updates/s, by the members',
  metrics: growthMetrics('µs server CPU per delivery', ['10 members', '40', '160']),
  takes: () => true,
  rounds: { quick: 1, full: 3 },
  async run(round) {
    const each = round.quick ? 60 : 120;
    const clients: DocumentClient[] = [];
    const typings = FACTORS.map((_, index) => typeText((index === 0 ? WARM : 0) + PASSES * each, index));
    const received = FACTORS.map(() => 0);
    const sent = FACTORS.map(() => 0);
    let onReceived: () => void = () => undefined;
    const deadline = new Deadline(180, () => `${received.join(', ')} deliveries`);
    const server = await round.start();
    try {
      const join = (index: number, user: string, clientId?: number) =>
        round.candidate.connect({
          port: server.port,
          document: `members-${index}`,
          user,
          ...(clientId !== undefined && { clientId }),
          onUpdate: (update) => {
            if (clientId !== undefined) return;
            (received[index] as number) += countTyped(update);
            onReceived();
          },
          onFailure: deadline.fail,
        });
      const writers: DocumentClient[] = [];
      for (const [index, factor] of FACTORS.entries()) {
        const readers = await deadline.race(
          inParallel(factor * MEMBERS, 10, (reader) => join(index, `reader-${index}-${reader}`)),
        );
        writers[index] = await deadline.race(join(index, `writer-${index}`, (typings[index] as Typing).clientId));
        clients.push(...readers, writers[index]);
      }
      const type = async (index: number, count: number, paceMs: number): Promise<void> => {
        await inPace(count, paceMs, () => {
          writers[index]?.send((typings[index] as Typing).updates[sent[index] as number] as Uint8Array);
          (sent[index] as number) += 1;
        });
        const expected = (sent[index] as number) * (FACTORS[index] as number) * MEMBERS;
        await new Promise<void>((resolve) => {
          onReceived = () => {
            if ((received[index] as number) >= expected) resolve();
          };
          onReceived();
        });
      };
      await deadline.race(type(0, WARM, 2));
      const cpu = FACTORS.map(() => 0);
      for (let pass = 0; pass < PASSES; pass += 1) {
        for (const index of FACTORS.keys())
          (cpu[index] as number) += await cpuOf(server, deadline, () => type(index, each, PACE_MS));
      }
      for (const [index, factor] of FACTORS.entries()) {
        const expected = (typings[index] as Typing).updates.length * factor * MEMBERS;
        expect(received[index] === expected, `${expected} deliveries to ${factor * MEMBERS}, there were ${received[index]}`);
      }
      return Object.fromEntries(
        FACTORS.map((factor, index) => [`x${factor}`, (cpu[index] as number) / (PASSES * each * factor * MEMBERS)]),
      );
    } finally {
      deadline.end();
      for (const client of clients) client.close();
    }
  },
};
