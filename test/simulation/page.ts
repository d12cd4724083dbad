import type * as Y from 'yjs';
import { type Client, createClient, type DocumentHandle } from '../../client/index.ts';
import type { AccessClaim } from '../../shared/access.ts';
import type { Model } from './model.ts';
import type { Network } from './network.ts';
import { tokenFor } from './tokens.ts';
import type { Owner, World } from './world.ts';

/** A log room as its user sees it. */
export interface LogView {
  /** What was shown since the last answer that said `recovered: false`. */
  shown: { seq: number; text: string }[];
  joined: boolean;
}

export interface PageOptions {
  readonly name: string;
  readonly userId: string;
  readonly access: AccessClaim;
  readonly chats: readonly string[];
  readonly documents: readonly string[];
  /** How long a token holds, s. */
  readonly tokenSeconds: number;
}

/** A page of an honest user: the SDK as a product uses it, and what it shows. */
export class Page {
  readonly options: PageOptions;
  readonly owner: Owner;
  readonly logs = new Map<string, LogView>();
  readonly documents = new Map<string, DocumentHandle>();
  readonly widgets = new Map<string, number>();
  client!: Client;
  /** Emits that wait for their answer. */
  waiting = 0;
  #messages = 0;
  readonly #world: World;
  readonly #network: Network;
  readonly #model: Model;

  constructor(options: PageOptions, world: World, network: Network, model: Model) {
    this.options = options;
    this.#world = world;
    this.#network = network;
    this.#model = model;
    this.owner = { name: options.name, dead: false };
    model.claims.set(options.userId, options.access);
  }

  /** Runs something in the page. */
  run(what: string, task: () => void, afterMs = 0): void {
    this.#world.schedule(afterMs, this.owner, what, task);
  }

  open(): void {
    const { userId, access, chats, documents, tokenSeconds } = this.options;
    const world = this.#world;
    this.client = createClient({
      url: 'http://simulated',
      transports: ['websocket'],
      token: () => tokenFor(userId, access, tokenSeconds),
      onError: (error, context) => world.trace(`error in ${context}: ${error}`),
    });
    const { client } = this;
    client.onStatus((status) =>
      world.trace(`is ${status.state}${status.state === 'connected' && status.recovered ? ', recovered' : ''}`),
    );
    client.on('chat:message', (data, meta) => {
      this.#shown(meta, data.content, data.userId ?? null);
      if (data.userId !== undefined && data.name !== `Name of ${data.userId}`)
        world.violate(`“${data.content}” is shown as of ${data.name}`);
    });
    client.on('system:notification', (data, meta) => this.#shown(meta, data.title, null));
    client.on('dashboard:update', ({ widgetId, value }, meta) => {
      this.#model.shown(meta.room, userId, `${widgetId}=${value}`, this.#sentAt);
      world.trace(`widget ${widgetId} ${value}`);
      this.widgets.set(widgetId, value);
    });
    for (const chat of chats) this.join(`chat:${chat}`);
    for (const room of ['dashboard', 'notifications']) if (access[room] !== undefined) this.join(room);
    for (const name of documents) this.openDocument(name);
    void client.connect();
  }

  join(room: string): void {
    const view: LogView = { shown: [], joined: false };
    this.logs.set(room, view);
    this.client.onRoom(room, (status) => {
      // A change of access shows the same answer again.
      if (status.state === 'joined' && !status.recovered && !view.joined) view.shown = [];
      view.joined = status.state === 'joined';
      const more =
        status.state === 'refused' ? status.error.code : status.state === 'joined' ? `${status.recovered} ${status.reason}` : '';
      this.#world.trace(`${room} ${status.state} ${more}`);
    });
    void this.client.joinRoom(room);
  }

  openDocument(name: string): DocumentHandle {
    const handle = this.client.document(name);
    this.documents.set(name, handle);
    const room = `doc:${name}`;
    this.#watch(handle, room);
    handle.on('status', ({ detail }) =>
      this.#world.trace(`${room} ${detail.state}${detail.state === 'refused' ? ` ${detail.error.code}` : ''}`),
    );
    handle.on('saved', ({ unsavedChanges }) => {
      this.#world.trace(`${room} unsaved ${unsavedChanges}`);
      if (unsavedChanges === 0) this.#model.documentOnDisk(room, handle.doc, `what ${this.options.name} was told saved`);
    });
    handle.on('reset', ({ reason, restoring }) => {
      this.#world.trace(`${room} reset ${reason} ${restoring}`);
      this.#watch(handle, room);
    });
    handle.on('error', (error) => this.#world.trace(`${room} error ${error.code}`));
    return handle;
  }

  say(chat: string): void {
    const content = `${this.options.name} ${++this.#messages}`;
    this.#model.sent.set(content, this.options.userId);
    this.#world.trace(`says “${content}” in ${chat}`);
    this.waiting += 1;
    this.client.emit('chat:message', { sessionId: chat, content }).then(
      ({ meta }) => {
        this.waiting -= 1;
        this.#world.trace(`“${content}” was answered ${meta?.seq}`);
        this.#model.onDisk(`chat:${chat}`, meta?.epoch, meta?.seq, `“${content}”, which was answered,`);
      },
      (error) => {
        this.waiting -= 1;
        this.#world.trace(`“${content}” failed ${error.code}`);
      },
    );
  }

  /** Types somewhere in one of its documents, or takes something out. */
  edit(): void {
    const world = this.#world;
    const handle = world.pick([...this.documents.values()]);
    if (handle === undefined || handle.access.get() === 'read' || handle.access.get() === 'none') return;
    const { doc } = handle;
    this.#model.clientIds.set(doc.clientID, this.options.userId);
    const text = doc.getText('text');
    const what = world.random();
    if (what < 0.55) text.insert(world.int(text.length + 1), `${this.options.name}${world.int(100)}`);
    else if (what < 0.75 && text.length > 0) {
      const from = world.int(text.length);
      text.delete(from, Math.min(text.length - from, 1 + world.int(6)));
    } else if (what < 0.85) doc.getMap('map').set(`k${world.int(3)}`, `${this.options.name}${world.int(100)}`);
    else if (what < 0.95) doc.getArray('list').push([world.int(1_000)]);
    else {
      doc.transact(() => {
        text.insert(0, 'x'.repeat(world.int(2_000)));
        doc.getMap('map').delete(`k${world.int(3)}`);
      });
    }
    world.trace(`edits ${handle.name}, unsaved ${handle.unsavedChanges.get()}`);
  }

  close(): void {
    for (const handle of this.documents.values()) handle.destroy();
    this.client.disconnect();
  }

  /** When what arrives now was sent, in events. */
  get #sentAt(): number {
    return this.#network.linkOf(this.owner)?.arrivingSince ?? 0;
  }

  #shown(meta: { room: string; seq?: number | undefined; epoch?: string | undefined }, text: string, by: string | null): void {
    const { room, seq = 0, epoch } = meta;
    const { name, userId } = this.options;
    const world = this.#world;
    world.trace(`is shown ${room} ${epoch}/${seq} “${text}”`);
    this.#model.shown(room, userId, `“${text}”`, this.#sentAt);
    const record = this.#model.onDisk(room, epoch, seq, `“${text}”, shown to ${name},`);
    if (record !== undefined && !Buffer.from(record.payload).toString().includes(JSON.stringify(text)))
      world.violate(`${room} ${epoch}/${seq} is another record on the disk`);
    if (record !== undefined && room.startsWith('chat:') && record.userId !== by) world.violate(`“${text}” is not of ${by}`);
    const view = this.logs.get(room);
    if (view === undefined) return;
    const last = view.shown.at(-1)?.seq;
    if (last !== undefined && seq !== last + 1) world.violate(`${name} was shown ${room} ${seq} after ${last}`);
    view.shown.push({ seq, text });
  }

  #watch(handle: DocumentHandle, room: string): void {
    const { doc, awareness } = handle;
    awareness.on('change', () => {
      for (const [clientId, state] of awareness.getStates()) {
        const owner = this.#model.clientIds.get(clientId);
        const shownAs = (state.user as { id?: string } | undefined)?.id;
        if (clientId !== awareness.clientID && owner !== undefined && shownAs !== owner)
          this.#world.violate(`in ${room} ${this.options.name} is shown the presence of ${owner} as of ${shownAs}`);
      }
    });
    this.#model.clientIds.set(doc.clientID, this.options.userId);
    doc.on('update', (_update: Uint8Array, _origin: unknown, _doc: Y.Doc, transaction: Y.Transaction) => {
      if (transaction.local || doc !== handle.doc) return;
      this.#world.trace(`${room} changed, ${doc.getText('text').length} long`);
      this.#model.shown(room, this.options.userId, 'an update', this.#sentAt);
      const writing = handle.unsavedChanges.get() === 0 ? undefined : doc.clientID;
      this.#model.documentOnDisk(room, doc, `what ${this.options.name} was shown`, writing);
    });
  }
}
