import { io, type Socket } from 'socket.io-client';
import { Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness';
import * as Y from 'yjs';
import type { AccessClaim } from '../../shared/access.ts';
import { encodeFrame } from '../../shared/document-frame.ts';
import { generateUpdate, mutateBytes } from '../support/mutate-update.ts';
import { mutateValue } from '../support/mutate-value.ts';
import type { Model } from './model.ts';
import { tokenFor } from './tokens.ts';
import type { Owner, World } from './world.ts';

const ROOMS = ['chat:b', 'chat:a', 'doc:main', 'doc:notes', 'dashboard', 'user:ada', 'user:mal', 'system', 'nowhere', ''];

/** Somebody who knows the protocol and keeps to none of it. It may write in `doc:main` and `chat:b`, and nowhere else. */
export class HostilePage {
  readonly owner: Owner = { name: 'mal', dead: false };
  readonly #world: World;
  readonly #model: Model;
  readonly #access: AccessClaim = { 'doc:main': 'write', 'chat:b': 'write' };
  #socket: Socket | null = null;
  #counter = 0;
  #clientId = 666;
  #messages = 0;

  constructor(world: World, model: Model) {
    this.#world = world;
    this.#model = model;
    model.claims.set('mal', this.#access);
  }

  /** Does one bad thing, in its own turn. */
  act(): void {
    this.#world.schedule(0, this.owner, 'mischief', () => {
      if (this.#socket === null || this.#world.maybe(0.05)) this.#connect();
      else this.#mischief(this.#socket);
    });
  }

  close(): void {
    this.#world.schedule(0, this.owner, 'goes', () => this.#disconnect());
  }

  #disconnect(): void {
    this.#socket?.disconnect();
    this.#socket = null;
  }

  #connect(): void {
    this.#disconnect();
    this.#world.trace('connects');
    const socket = io('http://simulated', {
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      auth: { token: tokenFor('mal', this.#access), autoJoin: this.#world.maybe(0.5) },
    });
    this.#socket = socket;
    socket.on('disconnect', () => {
      if (this.#socket === socket) this.#socket = null;
    });
    socket.on('connect_error', () => {
      if (this.#socket === socket) this.#socket = null;
    });
    socket.onAny((event: string, _payload: unknown, meta: { room?: string } | undefined) => {
      const room = typeof meta === 'object' ? meta?.room : undefined;
      if (room !== undefined) this.#model.shown(room, 'mal', event, 0);
    });
    socket.on('document', (room: string) => this.#model.shown(room, 'mal', 'a frame', 0));
  }

  #mischief(socket: Socket): void {
    const world = this.#world;
    const draw = (below: number) => world.int(below);
    const room = world.maybe(0.4) ? 'doc:main' : world.pick(ROOMS);
    switch (world.int(8)) {
      case 0:
        this.#clientId = world.maybe(0.7) ? this.#ownClientId() : this.#someClientId();
        this.#counter = 0;
        this.#ask(socket, 'join-room', [
          room,
          { clientId: this.#clientId, session: `${'s'.repeat(30)}${world.int(3)}`, formerIds: [this.#someClientId()] },
        ]);
        break;
      case 1:
        this.#ask(socket, 'join-room', [room, { epoch: `epoch-${world.int(4)}`, seq: world.int(40) }]);
        break;
      case 2: {
        const content = `hostile ${++this.#messages}`;
        this.#model.sent.set(content, 'mal');
        const message = {
          sessionId: world.pick(['a', 'b']),
          content,
          userId: 'ada',
          name: 'Ada',
          sender: world.pick(['user', 'assistant']),
        };
        this.#ask(socket, 'chat:message', [world.maybe(0.5) ? message : { sessionId: 'b', content }, { id: `m${world.int(5)}` }]);
        break;
      }
      case 3:
        this.#ask(
          socket,
          world.pick(['chat:message', 'join-room', 'document', 'room:grant', 'auth:renew', 'dashboard:update', 'nonsense', '']),
          [
            mutateValue(draw, { sessionId: 'b', content: 'hostile', room: 'doc:main', userId: 'mal', access: 'admin' }),
            mutateValue(draw, { id: 'x', room: 'chat:a' }),
          ],
        );
        break;
      case 4:
        this.#presence(socket);
        break;
      default:
        this.#update(socket, draw);
    }
  }

  #update(socket: Socket, draw: (below: number) => number): void {
    const world = this.#world;
    const { ever } = this.#model.document('doc:main');
    const known = Y.decodeStateVector(Y.encodeStateVector(ever));
    let update: Uint8Array;
    const kind = world.int(4);
    if (kind === 0) update = generateUpdate(draw, known, [this.#clientId]);
    else if (kind === 1) update = mutateBytes(draw, Y.encodeStateAsUpdate(ever), Y.encodeStateVector(ever));
    else {
      // Content that is well made, under an id that may be somebody else's.
      const doc = new Y.Doc();
      Y.applyUpdate(doc, Y.encodeStateAsUpdate(ever));
      const before = Y.encodeStateVector(doc);
      doc.clientID = kind === 2 ? this.#clientId : this.#someClientId();
      doc.getText('text').insert(0, `hostile${world.int(100)}`);
      update = Y.encodeStateAsUpdate(doc, before);
    }
    const counter = world.maybe(0.8) ? ++this.#counter : world.int(10);
    let frame = encodeFrame({ type: 'update', counter, full: world.maybe(0.3), update });
    if (world.maybe(0.2)) frame = mutateBytes(draw, frame, update);
    world.trace(`sends ${frame.length} bytes as update ${counter}`);
    socket.emit('document', world.maybe(0.8) ? 'doc:main' : 'doc:notes', frame);
  }

  #presence(socket: Socket): void {
    const doc = new Y.Doc();
    doc.clientID = this.#world.maybe(0.5) ? this.#clientId : this.#someClientId();
    const awareness = new Awareness(doc);
    awareness.setLocalState({ user: { id: 'ada', name: 'Ada', color: '#000000' } });
    const update = encodeAwarenessUpdate(awareness, [doc.clientID]);
    awareness.destroy();
    socket.emit('document', 'doc:main', encodeFrame({ type: 'awareness', update }));
  }

  #ownClientId(): number {
    const id = 600 + this.#world.int(100);
    this.#model.clientIds.set(id, 'mal');
    return id;
  }

  /** One that it can know: what a page has drawn and shown to nobody is not to be guessed. */
  #someClientId(): number {
    const ids = [...this.#model.document('doc:main').must.store.clients.keys()];
    return ids.length === 0 || this.#world.maybe(0.2) ? this.#clientId : this.#world.pick(ids);
  }

  #ask(socket: Socket, event: string, args: readonly unknown[]): void {
    this.#world.trace(`sends ${event}`);
    if (this.#world.maybe(0.5)) socket.emit(event, ...args);
    else
      socket.emit(event, ...args, (answer: { success?: boolean; error?: { code?: string } } | undefined) =>
        this.#world.trace(`is answered ${answer?.success} ${answer?.error?.code ?? ''}`),
      );
  }
}
