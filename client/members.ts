import type { MembersAnswer, PresenceUpdate } from '../shared/messages.ts';
import { isDocumentRoom } from '../shared/room-name.ts';
import type { Member } from '../shared/user.ts';
import { onAnotherUser } from './another-user.ts';
import { type Connector, isRecord } from './connector.ts';
import type { Environment } from './environment.ts';
import { type Readable, type Writable, writable } from './readable.ts';
import type { Report } from './report.ts';
import type { Rooms } from './rooms.ts';

const NOBODY: readonly Member[] = [];

/** The members of rooms, kept while somebody watches. Watching an event room holds a lease of it. */
export class Members {
  readonly #connector: Connector;
  readonly #rooms: Rooms;
  readonly #env: Environment;
  readonly #report: Report;
  readonly #lists = new Map<string, Writable<readonly Member[]>>();
  readonly #watched = new Map<string, { queued: Member[] | null }>();

  constructor(
    connector: Connector,
    rooms: Rooms,
    user: Readable<{ readonly id: string } | null>,
    env: Environment,
    report: Report,
  ) {
    this.#connector = connector;
    this.#rooms = rooms;
    this.#env = env;
    this.#report = report;
    onAnotherUser(user, () => {
      for (const list of this.#lists.values()) list.set(NOBODY);
    })();
    connector.attach({
      message: (event, args) => {
        if (event === 'presence:update') this.#onPresence(args[0]);
      },
    });
  }

  of(room: string): Readable<readonly Member[]> {
    let list = this.#lists.get(room);
    if (list === undefined) {
      list = writable(NOBODY, this.#report, { onFirst: () => this.#watch(room) });
      this.#lists.set(room, list);
    }
    return list;
  }

  /** A document's room is joined by its session, which tells so here. */
  joined(room: string): void {
    if (this.#watched.has(room)) this.#fetch(room);
  }

  /** To be called once the user may not be in a room: then they do not see who is. */
  clear(room: string): void {
    this.#lists.get(room)?.set(NOBODY);
  }

  #watch(room: string): () => void {
    this.#watched.set(room, { queued: null });
    if (isDocumentRoom(room)) {
      this.#fetch(room);
      return () => this.#unwatch(room);
    }
    const status = this.#rooms.status(room);
    const look = (): void => {
      const { state } = status.get();
      if (state === 'joined') this.#fetch(room);
      if (state === 'refused') this.clear(room);
    };
    const stop = status.subscribe(look);
    look();
    void this.#rooms.join(room).catch(() => {});
    return () => {
      stop();
      this.#unwatch(room);
      this.#rooms.leave(room);
    };
  }

  #unwatch(room: string): void {
    this.#watched.delete(room);
    this.clear(room);
  }

  #fetch(room: string): void {
    const watch = this.#watched.get(room);
    if (watch === undefined) return;
    const queued: Member[] = [];
    // Changes may overtake the answer: they are applied on top of it.
    watch.queued = queued;
    this.#connector.request('room:members', [room], (error, answer) => {
      if (watch.queued !== queued) return;
      watch.queued = null;
      // Whoever may not list members, or is not there yet, sees nobody; the next join asks again.
      if (error === null) this.#lists.get(room)?.set(merge((answer as MembersAnswer).members, queued));
      // Who asks for many at once is told to come later.
      else if (error.retryAfterMs !== undefined) {
        this.#env.after(error.retryAfterMs, () => {
          if (watch.queued === null) this.#fetch(room);
        });
      }
    });
  }

  #onPresence(update: unknown): void {
    if (!isRecord(update) || !Array.isArray(update.users)) return;
    const { room, users } = update as unknown as PresenceUpdate;
    const watch = this.#watched.get(room);
    const list = this.#lists.get(room);
    if (!watch || !list) return;
    watch.queued?.push(...users);
    list.set(merge(list.get(), users));
  }
}

function merge(members: readonly Member[], changes: readonly Member[]): readonly Member[] {
  const byUser = new Map(members.map((member) => [member.userId, member]));
  for (const member of changes) byUser.set(member.userId, member);
  return [...byUser.values()];
}
