import { roomPatterns } from '../shared/define-event.ts';
import { AshlarError } from '../shared/errors.ts';
import type { EventMeta } from '../shared/position.ts';
import { onAnotherUser } from './another-user.ts';
import type { ClientCatalog } from './check-input.ts';
import type { EventHub } from './event-hub.ts';
import { type Readable, sameJson, writable } from './readable.ts';
import type { Report } from './report.ts';
import type { Rooms } from './rooms.ts';

export interface LatestPorts {
  readonly catalog: ClientCatalog;
  readonly rooms: Rooms;
  readonly hub: EventHub;
  readonly user: Readable<{ readonly id: string } | null>;
  readonly report: Report;
}

/** The newest value of a state event under one key. Subscribing holds a lease of its room. */
export function latestValue(
  { catalog, rooms, user, hub, report }: LatestPorts,
  name: string,
  key: string,
  given?: string,
): Readable<unknown> {
  const definition = catalog.get(name);
  if (definition === undefined) throw new AshlarError('unknown-event', { detail: name });
  const { delivery } = definition;
  if (delivery.class !== 'state') {
    throw new AshlarError('invalid-options', {
      detail: `${name} is a ${delivery.class} event, not a state event`,
    });
  }
  const room = given ?? roomPatterns(definition)[0]!.replace('*', key);
  const known = [...(rooms.cursor(room)?.cursor.values.values() ?? [])].find(
    ({ event, payload }) => event === name && delivery.key(payload) === key,
  );
  const watchUser = onAnotherUser(user, () => store.set(undefined));
  const store = writable<unknown>(known?.payload, report, {
    // It came as JSON: a value sent again changes nothing.
    same: sameJson,
    onFirst() {
      const unwatch = watchUser();
      const stop = hub.on(name, (...args) => {
        const [payload, meta] = args as [unknown, EventMeta];
        if (meta.room === room && delivery.key(payload) === key) store.set(payload);
      });
      void rooms.join(room).catch(() => {});
      return () => {
        stop();
        unwatch();
        rooms.leave(room);
      };
    },
  });
  return store;
}
