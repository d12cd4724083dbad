import { readEdits, textOf } from '../read-trace.ts';
import { expect, type Figures, type Round, type Scenario } from '../scenario.ts';
import { Deadline, settleStored } from '../support.ts';

const WARM = 2_000;

async function run(round: Round, count: number): Promise<Figures> {
  const text = textOf(readEdits().slice(0, count));
  const server = await round.start();
  const clients = await round.startOwnClients(server.port);
  const deadline = new Deadline(300, () => 'the reader lacks some of it');
  try {
    await deadline.race(clients.do('join'));
    await deadline.race(clients.do('type', { to: WARM }));
    await deadline.race(settleStored(server));
    const before = { server: await server.usage(), clients: await clients.usage() };
    const seconds = (await deadline.race(clients.do('type', { to: count }))) as number;
    const typed = await clients.usage();
    await deadline.race(clients.do('whenSaved'));
    // What a server stores or compacts behind it belongs to it.
    await deadline.race(settleStored(server));
    const after = await server.usage();
    expect((await clients.do('text')) === text, 'the reader holds the text as it was then');
    const measured = count - WARM;
    return {
      perSecond: measured / seconds,
      seconds,
      cpu: (after.cpu - before.server.cpu) / measured,
      clientCpu: (typed.cpu - before.clients.cpu) / measured,
    };
  } finally {
    deadline.end();
  }
}

export const replayOwnClient: Scenario = {
  name: 'replay-own-client',
  title: 'The session seph-blog1, typed transaction by transaction through the client library that users have',
  metrics: [
    { name: 'perSecond', unit: 'transactions/s' },
    { name: 'seconds', unit: 's until the reader has it' },
    { name: 'cpu', unit: 'µs server CPU per transaction, all behind it included' },
    { name: 'clientCpu', unit: 'µs CPU of both clients per transaction' },
  ],
  takes: ({ ownClient }) => ownClient !== undefined,
  rounds: { quick: 1, full: 3 },
  run: (round) => run(round, round.quick ? 10_000 : 137_154),
};
