import type { Readable } from '../readable.ts';
import type { RoomStatus } from '../rooms.ts';
import { watched } from '../watched.ts';
import type { FeatureClient } from './feature-client.ts';
import { holdRoom } from './hold-room.ts';

/** What is shown of a room that nobody has joined. */
export const LEFT: RoomStatus = { state: 'left' };

/** A room that is joined while somebody subscribes. A name that cannot be one shows as `refused`. */
export function watchedRoom(client: FeatureClient, room: string): Readable<RoomStatus> {
  return watched<RoomStatus>(LEFT, (store) => {
    const status = client.room(room);
    const stop = status.subscribe(store.set);
    const leave = holdRoom(client, room, (error) => store.set({ state: 'refused', error }));
    store.set(status.get());
    return [stop, leave, () => store.set(LEFT)];
  });
}
