import { AshlarError } from '../../shared/errors.ts';
import type { Readable } from '../readable.ts';
import type { RoomStatus } from '../rooms.ts';
import { watched } from '../watched.ts';
import type { FeatureClient } from './feature-client.ts';

/** What is shown of a room that nobody has joined. */
export const LEFT: RoomStatus = { state: 'left' };

/** A room that is joined while somebody subscribes. A name that cannot be one shows as `refused`. */
export function watchedRoom(client: FeatureClient, room: string): Readable<RoomStatus> {
  return watched<RoomStatus>(LEFT, (store) => {
    const status = client.room(room);
    const stop = status.subscribe(store.set);
    let here = true;
    client.joinRoom(room).catch((error: unknown) => {
      if (here && status.get().state === 'left') store.set({ state: 'refused', error: AshlarError.from(error) });
    });
    store.set(status.get());
    return () => {
      here = false;
      stop();
      client.leaveRoom(room);
      store.set(LEFT);
    };
  });
}
