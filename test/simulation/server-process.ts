import { createServer, type Server } from 'node:http';
import { pino } from 'pino';
import type { RealtimeServerOptions } from '../../server/options.ts';
import { RealtimeServer } from '../../server/server.ts';
import type { SimulatedDisk } from './disk.ts';
import type { Network } from './network.ts';
import { SECRET } from './tokens.ts';
import type { Owner, World } from './world.ts';

/** The server as an operator sees it: started, stopped in order, or killed. */
export class ServerProcess {
  state: 'down' | 'starting' | 'up' | 'stopping' = 'down';
  realtime: RealtimeServer | null = null;
  owner: Owner;
  readonly #world: World;
  readonly #network: Network;
  readonly #disk: SimulatedDisk;
  readonly #options: Partial<RealtimeServerOptions>;
  #http: Server | null = null;
  #starts = 0;

  constructor(world: World, network: Network, disk: SimulatedDisk, options: Partial<RealtimeServerOptions>) {
    this.#world = world;
    this.#network = network;
    this.#disk = disk;
    this.#options = options;
    this.owner = world.outside;
  }

  /** Runs something of the backend in the server's process, now or never. */
  run(what: string, task: (realtime: RealtimeServer) => void, afterMs = 0): void {
    const { realtime, owner } = this;
    if (this.state !== 'up' || realtime === null) return;
    this.#world.schedule(afterMs, owner, what, () => task(realtime));
  }

  start(): void {
    if (this.state !== 'down') return;
    this.state = 'starting';
    const owner: Owner = { name: `server-${++this.#starts}`, dead: false };
    this.owner = owner;
    this.#world.schedule(0, owner, 'start', () => {
      const http = createServer();
      const realtime = new RealtimeServer({
        jwtSecret: SECRET,
        ...this.#options,
        store: this.#disk.open(),
        logger: this.#logger(),
      });
      this.#http = http;
      this.#network.listen(http, owner);
      realtime.initialize(http).then(
        () => {
          this.realtime = realtime;
          this.state = 'up';
          this.#world.trace('up');
        },
        (error) => this.#world.fail(error),
      );
    });
  }

  /** kill -9: nothing of it runs any more. */
  crash(): void {
    if (this.state === 'down') return;
    this.#world.trace('killed');
    this.owner.dead = true;
    this.#network.close();
    this.#network.died(this.owner);
    this.#gone();
  }

  /** As a process manager asks for it. */
  stop(): void {
    const { realtime, owner } = this;
    if (this.state !== 'up' || realtime === null) return;
    this.state = 'stopping';
    this.#world.schedule(0, owner, 'stop', () => {
      realtime.close().then(
        () => {
          this.#http?.closeAllConnections();
          this.#world.trace('stopped');
          this.#network.close();
          // What waits for the other end's last word does so until its process exits.
          for (const link of this.#network.links) if (link.server.owner === owner) link.server.destroy();
          this.#world.schedule(100, owner, 'exit', () => this.#exit(owner));
        },
        (error) => this.#world.fail(error),
      );
    });
  }

  #exit(owner: Owner): void {
    const left = this.#world
      .pending()
      .filter((line) => line.startsWith(`${owner.name}:`) && !/: (bytes|reset|write done)$/.test(line));
    if (left.length > 0) this.#world.violate(`left behind by a server that closed: ${left.join(', ')}`);
    owner.dead = true;
    this.#network.died(owner);
    this.#gone();
  }

  #gone(): void {
    this.state = 'down';
    this.realtime = null;
    this.#http = null;
  }

  #logger() {
    const world = this.#world;
    return pino(
      { level: 'error', base: null, timestamp: false },
      {
        write(line: string) {
          const { level } = JSON.parse(line) as { level: number };
          if (level < 50) return;
          world.trace(`log ${line.trim().slice(0, 2_000)}`);
          if (line.includes('guard:internal') || line.includes('hook:failed')) world.violate(`an internal error: ${line.trim()}`);
        },
      },
    );
  }
}
