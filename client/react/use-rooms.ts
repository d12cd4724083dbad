import { useEffect, useMemo } from 'react';
import type { PayloadOf, StateEventName } from '../../shared/catalog.ts';
import type { EventRoomLike, RoomNameLike } from '../../shared/room-name.ts';
import type { Member } from '../../shared/user.ts';
import type { AllEvents, ListenableName, ListenerArgs } from '../client-events.ts';
import { LEFT, watchedRoom } from '../features/watched-room.ts';
import type { Readable } from '../readable.ts';
import type { RoomStatus } from '../rooms.ts';
import { relayed } from '../watched.ts';
import { useClient } from './context.ts';
import type { OwnEvents } from './register.ts';
import { type IsEqual, type Select, useNewest, useStore } from './use-store.ts';

const NOBODY: readonly Member[] = [];

/**
 * Listens to an event while mounted. Of a state event the present values come first.
 * @param event null: to nothing
 * @param handler may be written inline: a new one never subscribes again
 */
export function useWebSocket<Name extends ListenableName<AllEvents<OwnEvents>>>(
  event: Name | null,
  handler: (...args: ListenerArgs<AllEvents<OwnEvents>, Name>) => void,
): void {
  const client = useClient('useWebSocket');
  const newest = useNewest(handler);
  useEffect(() => {
    if (event === null) return;
    return client.on(event, (...args) => newest.current(...args));
  }, [client, event, newest]);
}

/** Is in a room while mounted. @param room null: in none */
export function useWebSocketRoom<const Room extends string>(room: EventRoomLike<Room> | null): RoomStatus {
  const client = useClient('useWebSocketRoom');
  const status = useMemo(() => (room === null ? null : watchedRoom(client, room)), [client, room]);
  return useStore(status, LEFT);
}

/** Who is or was in a room; one entry per user, however many tabs. In the room while mounted. @param room null: in none */
export function usePresence<const Room extends string>(room: RoomNameLike<Room> | null): readonly Member[];
export function usePresence<Selected, const Room extends string = string>(
  room: RoomNameLike<Room> | null,
  select: Select<readonly Member[], Selected>,
  isEqual?: IsEqual<Selected>,
): Selected;
export function usePresence<Selected>(
  room: string | null,
  select?: Select<readonly Member[], Selected>,
  isEqual?: IsEqual<Selected>,
): Selected {
  const client = useClient('usePresence');
  const members = useMemo(() => (room === null ? null : relayed(client.members(room))), [client, room]);
  return useStore(members, NOBODY, select, isEqual);
}

/**
 * The newest value of a state event under one key: `useLatest('dashboard:update', 'sales')?.value`. In its room while mounted.
 * @param key null: of none
 * @param options `room`: default, the event's only room, or its pattern with the key in the place of `*`
 * @returns undefined until there is one
 */
export function useLatest<Name extends StateEventName<AllEvents<OwnEvents>>>(
  event: Name,
  key: string | null,
  options: { room?: string | undefined } = {},
): PayloadOf<AllEvents<OwnEvents>, Name> | undefined {
  const client = useClient('useLatest');
  const { room } = options;
  const latest = useMemo(
    (): Readable<unknown> | null => (key === null ? null : client.latest(event, key, { room })),
    [client, event, key, room],
  );
  return useStore(latest, undefined) as PayloadOf<AllEvents<OwnEvents>, Name> | undefined;
}
