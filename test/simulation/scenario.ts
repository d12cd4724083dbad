import type { RealtimeServerOptions } from '../../server/options.ts';
import { HEALTHY, SimulatedDisk } from './disk.ts';
import { HostilePage } from './hostile-page.ts';
import { workerFaults } from './inline-worker.ts';
import { Model } from './model.ts';
import { Network } from './network.ts';
import { Page, type PageOptions } from './page.ts';
import { ServerProcess } from './server-process.ts';
import type { World } from './world.ts';

export const TROUBLES = ['cuts', 'crashes', 'restores', 'disk', 'stalls', 'revocations', 'clock', 'workers', 'hostile'] as const;

/** Which troubles a seed has: not every one has all, so that each is also seen without the others. */
export type Troubles = Readonly<Record<(typeof TROUBLES)[number], boolean>>;

const ALL = { 'chat:*': 'write', 'doc:*': 'write', dashboard: 'read', notifications: 'read', system: 'read' } as const;

const LARGEST_PACKET = 20_000;

/** Everything that one seed puts together. */
export class Scenario {
  readonly world: World;
  readonly troubles: Troubles;
  readonly model: Model;
  readonly network: Network;
  readonly disk: SimulatedDisk;
  readonly server: ServerProcess;
  readonly pages: Page[];
  readonly hostile: HostilePage;
  /** Widget → the value published last, and whether it was promised. */
  readonly widgets = new Map<string, number>();

  queueBytes = 0;

  /** @param without troubles that are left out, though the seed may have them */
  constructor(world: World, without: readonly (keyof Troubles)[] = []) {
    this.world = world;
    const often = () => world.maybe(0.5);
    const drawn: Troubles = {
      cuts: world.maybe(0.8),
      crashes: world.maybe(0.6),
      restores: world.maybe(0.3),
      disk: world.maybe(0.4),
      stalls: often(),
      revocations: often(),
      clock: world.maybe(0.2),
      workers: world.maybe(0.2),
      hostile: often(),
    };
    this.troubles = { ...drawn, ...Object.fromEntries(without.map((trouble) => [trouble, false])) };
    this.model = new Model(world);
    this.network = new Network(world);
    this.disk = new SimulatedDisk(world, this.model);
    this.disk.commitMs = world.pick([1, 20, 200, 1_500]);
    this.disk.readMs = world.pick([0, 5, 100]);
    this.network.quality = {
      leastMs: world.pick([0, 1, 50]),
      mostMs: world.pick([2, 60, 300]),
      windowBytes: world.pick([4_000, 65_536]),
    };
    workerFaults.dies = this.troubles.workers ? 0.1 : 0;
    workerFaults.hangs = this.troubles.workers ? 0.02 : 0;
    this.server = new ServerProcess(world, this.network, this.disk, this.#serverOptions());
    this.hostile = new HostilePage(world, this.model);
    this.pages = this.#pages().map((options) => new Page(options, world, this.network, this.model));
  }

  #serverOptions(): Partial<RealtimeServerOptions> {
    const { world } = this;
    this.queueBytes = world.pick([6_000, 40_000, 4_000_000]);
    return {
      compactAfterRecords: world.pick([5, 30, 500]),
      chatHistory: world.pick([3, 10, 50]),
      overflowRecords: world.pick([8, 40, 10_000]),
      retention: {
        log: { maxRecords: world.pick([12, 60, 10_000]) },
        documents: { maxAgeMs: world.pick([5_000, 60_000, 86_400_000]), keepBytes: world.pick([500, 20_000, 16_777_216]) },
      },
      limits: {
        queueBytes: this.queueBytes,
        frameBytes: world.pick([1_000, 256_000]),
        updateBytes: 3_000_000,
        eventsPerMinute: 10_000,
        joinsPerMinute: 10_000,
      },
    };
  }

  #pages(): PageOptions[] {
    const { world } = this;
    const chats = ['a', 'b'];
    const documents = ['main', 'notes'];
    const page = (name: string, userId: string, more: Partial<PageOptions> = {}): PageOptions => ({
      name,
      userId,
      access: ALL,
      chats,
      documents,
      tokenSeconds: 86_400,
      ...more,
    });
    const pages = [
      page('ada', 'ada'),
      page('ben', 'ben'),
      page('rea', 'rea', { access: { ...ALL, 'chat:*': 'read', 'doc:*': 'read' } }),
      page('eve', 'eve', { tokenSeconds: world.pick([15, 40, 86_400]) }),
      page('rex', 'rex'),
    ];
    if (world.maybe(0.4)) pages.push(page('ada-2', 'ada'));
    if (world.maybe(0.5))
      pages.push(page('out', 'out', { access: { dashboard: 'read', 'chat:b': 'read' }, documents: ['main'] }));
    return pages;
  }

  /** Nobody's queue is beyond what it may be, whatever its reader does. */
  judgeQueues(): void {
    this.server.run('queues', (realtime) => {
      void realtime.metrics().then((text) => {
        const most = Number(/^\S*queued_bytes_most (?<bytes>\d+)/m.exec(text)?.groups?.bytes);
        // Twice the cap is where a reader that only asks is cut off; what made it so comes on top.
        const cap = 2 * this.queueBytes + LARGEST_PACKET;
        if (!(most <= cap)) this.world.violate(`${most} bytes wait for one reader, and ${cap} may`);
      });
    });
  }

  /** All troubles end. */
  heal(): void {
    this.hostile.close();
    this.disk.faults = HEALTHY;
    workerFaults.dies = 0;
    workerFaults.hangs = 0;
    for (const link of this.network.links) link.resume();
    this.network.quality = { leastMs: 1, mostMs: 10, windowBytes: 65_536 };
  }
}
