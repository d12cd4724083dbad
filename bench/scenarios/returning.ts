import type { DocumentClient } from '../clients/document-client.ts';
import type { Scenario } from '../scenario.ts';
import type { ServerProcess } from '../server-process.ts';
import { Deadline, inParallel, settle, typeText } from '../support.ts';

const IN_ONE_DOCUMENT = 20;
/** Handshakes under way at a time: more would only wait in the kernel. */
const AT_ONCE = 200;

/** A crowd that loses its connections and comes back at once: to the same process, then to one that was killed and started anew. */
export const returning: Scenario = {
  name: 'returning',
  title: 'A crowd that comes back at once, 20 people in each document',
  metrics: [
    { name: 'firstCut', unit: 'ms server CPU per return after the first cut', base: 'socket.io' },
    { name: 'cut', unit: 'ms server CPU per return after a cut', base: 'socket.io' },
    { name: 'cutTime', unit: 'ms until all are back after a cut' },
    { name: 'cutDelay', unit: 'ms event loop delay p99 meanwhile' },
    { name: 'restart', unit: 'ms server CPU per return after a restart', base: 'socket.io' },
    { name: 'restartTime', unit: 'ms until all are back after a restart' },
  ],
  takes: () => true,
  rounds: { quick: 1, full: 3 },
  async run(round) {
    const count = round.quick ? 500 : 2_000;
    let clients: DocumentClient[] = [];
    const deadline = new Deadline(240, () => `${clients.length} of ${count} connections`);
    const connect = (server: ServerProcess) => async (index: number) => {
      const client = await round.candidate.connect({
        port: server.port,
        document: `doc-${Math.floor(index / IN_ONE_DOCUMENT)}`,
        user: `user-${index}`,
        clientId: typeText(1, index).clientId,
        onUpdate: () => undefined,
        onFailure: deadline.fail,
      });
      clients.push(client);
      return client;
    };
    const leave = () => {
      for (const client of clients) client.close();
      clients = [];
    };
    const comeBack = async (server: ServerProcess) => {
      const before = await server.usage();
      await server.watchDelay();
      const startedAt = performance.now();
      await deadline.race(inParallel(count, AT_ONCE, connect(server)));
      const ms = performance.now() - startedAt;
      const { p99 } = await server.delay();
      // What a server does behind it counts as well.
      await deadline.race(settle(server));
      const after = await server.usage();
      return { cpu: (after.cpu - before.cpu) / 1_000 / count, ms, p99 };
    };
    const folder = await round.folder();
    const first = await round.start(folder);
    try {
      const all = await deadline.race(inParallel(count, 10, connect(first)));
      // One character in each document, so that there is something to come back to.
      for (const [index, client] of all.entries())
        if (index % IN_ONE_DOCUMENT === 0) client.send(typeText(1, index).updates[0] as Uint8Array);
      await deadline.race(settle(first));
      const cutOff = async () => {
        leave();
        await deadline.race(settle(first));
        return comeBack(first);
      };
      // The first return warms up what only a crowd does: a process that has been up for a day has seen one.
      const firstCut = await cutOff();
      const cut = await cutOff();
      leave();
      await first.kill();
      const second = await round.start(folder);
      const restart = await comeBack(second);
      return {
        firstCut: firstCut.cpu,
        cut: cut.cpu,
        cutTime: cut.ms,
        cutDelay: cut.p99,
        restart: restart.cpu,
        restartTime: restart.ms,
      };
    } finally {
      deadline.end();
      leave();
    }
  },
};
