import * as Y from 'yjs';
import { HEALTHY } from './disk.ts';
import type { Page } from './page.ts';
import type { Scenario } from './scenario.ts';

interface Step {
  readonly weight: number;
  readonly does: (scenario: Scenario) => void;
}

const onPage = (weight: number, what: string, task: (page: Page, scenario: Scenario) => void): Step => ({
  weight,
  does: (scenario) => {
    const page = scenario.world.pick(scenario.pages);
    page.run(what, () => task(page, scenario));
  },
});

const USAGE: readonly Step[] = [
  onPage(30, 'edit', (page) => page.edit()),
  onPage(14, 'chat', (page, { world }) => page.say(world.pick(page.options.chats))),
  onPage(2, 'carets', (page, { world }) => {
    for (const { awareness } of page.documents.values()) awareness.setLocalStateField('pointer', world.int(100));
  }),
  onPage(2, 'leave and come back', (page, { world }) => {
    world.trace('disconnects');
    page.client.disconnect();
    page.run('come back', () => void page.client.connect(), world.between(0, 8_000));
  }),
  {
    weight: 6,
    does: ({ server, world, widgets }) => {
      const widgetId = world.pick(['orders', 'visits']);
      server.run('dashboard', (realtime) => {
        const value = (widgets.get(widgetId) ?? 0) + 1;
        widgets.set(widgetId, value);
        const payload = { widgetId, value, timestamp: new Date(world.now()).toISOString() };
        realtime.toRoom('dashboard', 'dashboard:update', payload).catch((error) => world.trace(`dashboard failed ${error.code}`));
      });
    },
  },
  {
    weight: 5,
    does: ({ server, world, model }) => {
      const content = `assistant ${world.events}`;
      const sessionId = world.pick(['a', 'b']);
      server.run('assistant', (realtime) => {
        model.sent.set(content, null);
        const message = {
          id: content,
          sessionId,
          content,
          sender: 'assistant' as const,
          timestamp: new Date(world.now()).toISOString(),
        };
        realtime.toRoom(`chat:${sessionId}`, 'chat:message', message).then(
          (meta) => model.onDisk(`chat:${sessionId}`, meta.epoch, meta.seq, `“${content}”, which was answered,`),
          (error) => world.trace(`assistant failed ${error.code}`),
        );
      });
    },
  },
  {
    weight: 2,
    does: ({ server, world, model }) => {
      server.run('transact', (realtime) => {
        realtime.documents
          .transact('main', (doc) => {
            doc.getText('text').insert(0, `server${world.int(100)}`);
            return { client: doc.clientID, clock: Y.getState(doc.store, doc.clientID) };
          })
          .then(
            ({ client, clock }) => {
              world.trace('transacted');
              const stored = Y.getState(model.document('doc:main').ever.store, client);
              if (stored < clock)
                world.violate(`an edit by the backend was told stored, and is on the disk up to ${stored} of ${clock}`);
            },
            (error) => world.trace(`transact failed ${error.code}`),
          );
      });
    },
  },
];

const TROUBLE: { readonly [trouble in keyof Scenario['troubles']]: readonly Step[] } = {
  cuts: [
    {
      weight: 8,
      does: ({ world, network }) => {
        const open = [...network.links].filter((link) => !link.client.destroyed);
        if (open.length === 0) return;
        const link = world.pick(open);
        const [client, server] = world.pick([
          [true, true],
          [true, false],
          [false, true],
          [false, false],
        ]) as [boolean, boolean];
        world.trace(`cut ${link.client.owner.name}, told: ${client} ${server}`);
        link.cut(client, server);
      },
    },
  ],
  crashes: [
    {
      weight: 2,
      does: ({ server, world, model, disk }) => {
        server.crash();
        model.followGrants(disk.content);
        world.schedule(world.between(0, 4_000), world.outside, 'start', () => server.start());
      },
    },
    {
      weight: 1,
      does: ({ server, world }) => {
        world.trace('stop');
        server.stop();
        world.schedule(world.between(3_000, 6_000), world.outside, 'start', () => server.start());
      },
    },
  ],
  restores: [
    { weight: 2, does: ({ disk }) => disk.backUp() },
    {
      weight: 2,
      does: ({ server, world, disk, model }) => {
        server.crash();
        model.followGrants(disk.content);
        world.schedule(world.between(0, 4_000), world.outside, 'restore', () => {
          if (server.state === 'down' && disk.restore()) world.trace('an old copy was put back');
          server.start();
        });
      },
    },
  ],
  disk: [
    {
      weight: 3,
      does: ({ disk, world }) => {
        disk.faults = {
          fails: world.pick([0, 0.2, 1]),
          unknown: world.pick([0, 0.3, 0.8]),
          full: world.pick([0, 0, 0.5]),
          unreadable: world.pick([0, 0.1]),
        };
        world.trace(`disk faults ${JSON.stringify(disk.faults)}`);
        world.schedule(world.between(100, 8_000), world.outside, 'disk heals', () => {
          disk.faults = HEALTHY;
        });
      },
    },
  ],
  stalls: [
    {
      weight: 4,
      does: ({ network, world }) => {
        const open = [...network.links].filter((link) => !link.client.destroyed);
        if (open.length === 0) return;
        const link = world.pick(open);
        world.trace(`stalls ${link.client.owner.name}`);
        link.stall();
        world.schedule(world.between(500, 14_000), world.outside, 'reads again', () => link.resume());
      },
    },
  ],
  revocations: [
    {
      // Access is taken from somebody for whom more waits than the network holds.
      weight: 2,
      does: ({ server, world, model, network }) => {
        const link = [...network.links].find(({ client }) => client.owner.name === 'rex' && !client.destroyed);
        if (link === undefined) return;
        world.trace('rex stands still, and its access is taken');
        link.stall();
        server.run('talk', (realtime) => {
          for (let count = 0; count < 40; count++) {
            const content = `long ${world.events}-${count} ${'.'.repeat(1_500)}`;
            model.sent.set(content, null);
            const timestamp = new Date(world.now()).toISOString();
            const message = { id: content.slice(0, 40), sessionId: 'a', content, sender: 'assistant' as const, timestamp };
            realtime.toRoom('chat:a', 'chat:message', message).catch((error) => world.trace(`talk failed ${error.code}`));
          }
        });
        world.schedule(world.between(100, 3_000), world.outside, 'revoke', () => {
          server.run('revoke', (realtime) => {
            const changed = model.changing('chat:a', 'rex', 'none');
            realtime.revoke('rex', 'chat:a').then(changed, (error) => world.trace(`revoke failed ${error.code}`));
          });
        });
        world.schedule(world.between(3_500, 9_000), world.outside, 'reads again', () => link.resume());
      },
    },
    {
      weight: 4,
      does: ({ server, world, model }) => {
        const room = world.pick(['doc:main', 'chat:a', 'chat:b']);
        const access = world.maybe(0.5) ? 'none' : world.pick(['read', 'write'] as const);
        server.run('access', (realtime) => {
          world.trace(`access of rex in ${room}: ${access}`);
          const changed = model.changing(room, 'rex', access);
          realtime.grant('rex', room, access).then(
            () => {
              world.trace(`access of rex in ${room} is ${access}`);
              changed();
            },
            (error) => world.trace(`access failed ${error.code}`),
          );
        });
      },
    },
  ],
  clock: [
    {
      weight: 1,
      does: ({ world }) => {
        const jump = world.pick([-3_600_000, 3_600_000]);
        world.trace(`the clock jumps by ${jump}`);
        world.wallOffset += jump;
      },
    },
  ],
  workers: [],
  hostile: [{ weight: 20, does: ({ hostile }) => hostile.act() }],
};

/** What may happen next in a scenario, by weight. */
export function stepsOf(scenario: Scenario): () => void {
  const steps = [...USAGE];
  for (const [trouble, more] of Object.entries(TROUBLE))
    if (scenario.troubles[trouble as keyof typeof TROUBLE]) steps.push(...more);
  const total = steps.reduce((sum, { weight }) => sum + weight, 0);
  return () => {
    let left = scenario.world.random() * total;
    for (const { weight, does } of steps) {
      left -= weight;
      if (left < 0) return does(scenario);
    }
  };
}
