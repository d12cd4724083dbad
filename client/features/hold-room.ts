import { AshlarError } from '../../shared/errors.ts';
import type { FeatureClient } from './feature-client.ts';

/**
 * Joins a room.
 * @param onRefused told why the room cannot even be asked for; that the server refuses it, its status tells
 * @returns leaves it; nothing is told from then on
 */
export function holdRoom(client: FeatureClient, room: string, onRefused: (error: AshlarError) => void = () => {}): () => void {
  let here = true;
  client.joinRoom(room).catch((error: unknown) => {
    if (here && client.room(room).get().state === 'left') onRefused(AshlarError.from(error));
  });
  return () => {
    here = false;
    client.leaveRoom(room);
  };
}
