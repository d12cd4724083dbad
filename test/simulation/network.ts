import type { Server } from 'node:http';
import { Duplex } from 'node:stream';
import type { Owner, World } from './world.ts';

/** How a link treats what is sent. */
export interface LinkQuality {
  readonly leastMs: number;
  readonly mostMs: number;
  /** Bytes under way before a sender's write waits, as in a kernel's buffers. */
  readonly windowBytes: number;
}

const RESET = () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });

/** One direction of a connection: bytes in order, each after a delay. */
class Pipe {
  stalled = false;
  /** Nothing arrives any more, and nobody is told. */
  lost = false;
  readonly #world: World;
  readonly #quality: LinkQuality;
  #lastArrival = 0;
  #underWay = 0;
  /** What is under way, in order: each arrival takes the first. */
  readonly #queue: { bytes: Buffer | null; sentAt: number }[] = [];
  #held = 0;
  #blocked: (() => void) | null = null;

  constructor(world: World, quality: LinkQuality) {
    this.#world = world;
    this.#quality = quality;
  }

  send(to: SimulatedSocket, bytes: Buffer | null, from: Owner, done?: () => void): void {
    const { leastMs, mostMs, windowBytes } = this.#quality;
    this.#underWay += bytes?.length ?? 0;
    this.#queue.push({ bytes, sentAt: this.#world.events });
    this.#lastArrival = Math.max(this.#lastArrival, this.#world.elapsed + this.#world.between(leastMs, mostMs));
    this.#world.schedule(this.#lastArrival - this.#world.elapsed, to.owner, 'bytes', () => this.#arrive(to, from));
    if (this.#underWay > windowBytes && done !== undefined) this.#blocked = done;
    else done?.();
  }

  resume(to: SimulatedSocket, from: Owner): void {
    this.stalled = false;
    for (; this.#held > 0; this.#held--) this.#world.schedule(0, to.owner, 'bytes', () => this.#arrive(to, from));
  }

  #arrive(to: SimulatedSocket, from: Owner): void {
    if (this.stalled) {
      this.#held += 1;
      return;
    }
    const next = this.#queue.shift();
    if (next === undefined) return;
    this.#underWay -= next.bytes?.length ?? 0;
    if (this.#blocked !== null && this.#underWay <= this.#quality.windowBytes) {
      const unblock = this.#blocked;
      this.#blocked = null;
      this.#world.schedule(0, from, 'write done', unblock);
    }
    if (!this.lost) to.arrived(next.bytes, next.sentAt);
  }
}

/** One end of a connection, in the place of a TCP socket. */
export class SimulatedSocket extends Duplex {
  readonly owner: Owner;
  readonly remoteAddress: string;
  readonly link: Link;
  peer!: SimulatedSocket;
  out!: Pipe;

  constructor(link: Link, owner: Owner, remoteAddress: string) {
    super({ allowHalfOpen: false });
    this.link = link;
    this.owner = owner;
    this.remoteAddress = remoteAddress;
  }

  setNoDelay = (): this => this;
  setKeepAlive = (): this => this;
  setTimeout = (): this => this;
  ref = (): this => this;
  unref = (): this => this;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.out.send(this.peer, Buffer.from(chunk), this.owner, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.out.send(this.peer, Buffer.concat(chunks.map(({ chunk }) => chunk)), this.owner, done);
  }

  override _final(done: () => void): void {
    this.out.send(this.peer, null, this.owner);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.writableFinished) this.out.send(this.peer, null, this.owner);
    this.link.ended();
    done(error);
  }

  arrived(bytes: Buffer | null, sentAt: number): void {
    if (this.destroyed) {
      if (bytes !== null) this.link.resetAt(this.peer);
      return;
    }
    this.link.arrivingSince = sentAt;
    this.push(bytes);
    if (bytes === null) this.end();
  }
}

/** A connection between a client and a process of the server. */
export class Link {
  readonly client: SimulatedSocket;
  readonly server: SimulatedSocket;
  /** When what arrives at the client now was handed to the network, in events. */
  arrivingSince = 0;
  readonly #world: World;

  constructor(world: World, clientOwner: Owner, serverOwner: Owner, quality: LinkQuality) {
    this.#world = world;
    this.client = new SimulatedSocket(this, clientOwner, '10.0.0.1');
    this.server = new SimulatedSocket(this, serverOwner, '10.0.1.1');
    this.client.peer = this.server;
    this.server.peer = this.client;
    this.client.out = new Pipe(world, quality);
    this.server.out = new Pipe(world, quality);
  }

  get open(): boolean {
    return !this.client.destroyed || (!this.server.destroyed && !this.server.owner.dead);
  }

  /** Ends it. Who is not told finds out by itself, in time. */
  cut(tellClient: boolean, tellServer: boolean): void {
    this.client.out.lost = true;
    this.server.out.lost = true;
    if (tellClient) this.resetAt(this.client);
    if (tellServer) this.resetAt(this.server);
  }

  resetAt(end: SimulatedSocket): void {
    this.#world.schedule(this.#world.between(0, 30), end.owner, 'reset', () => {
      if (!end.destroyed) end.destroy(RESET());
    });
  }

  /** The client reads nothing; what is sent waits in the kernels. */
  stall(): void {
    this.server.out.stalled = true;
  }

  resume(): void {
    this.server.out.resume(this.client, this.server.owner);
  }

  ended(): void {}
}

/** Who listens, and all links. */
export class Network {
  readonly links = new Set<Link>();
  quality: LinkQuality = { leastMs: 1, mostMs: 30, windowBytes: 65_536 };
  #listening: { http: Server; owner: Owner } | null = null;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  listen(http: Server, owner: Owner): void {
    this.#listening = { http, owner };
  }

  close(): void {
    this.#listening = null;
  }

  /** In the place of `net.connect`. */
  connect(): SimulatedSocket {
    const { owner } = this.#world;
    const target = this.#listening;
    const link = new Link(this.#world, owner, target?.owner ?? this.#world.outside, this.quality);
    if (target === null) {
      this.#world.schedule(this.#world.between(0, 20), owner, 'refused', () =>
        link.client.destroy(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })),
      );
      return link.client;
    }
    this.links.add(link);
    // Before the first bytes can arrive: they leave after it.
    this.#world.schedule(0, target.owner, 'accept', () => target.http.emit('connection', link.server));
    return link.client;
  }

  /** A process is gone: its kernel tells the other ends. */
  died(owner: Owner): void {
    for (const link of this.links) {
      if (link.server.owner === owner) link.resetAt(link.client);
      if (link.client.owner === owner) link.resetAt(link.server);
    }
  }

  linkOf(owner: Owner): Link | undefined {
    return [...this.links].findLast((link) => link.client.owner === owner && !link.client.destroyed);
  }

  forgetClosed(): void {
    for (const link of this.links) if (!link.open) this.links.delete(link);
  }
}
