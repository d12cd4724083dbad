import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import type { ConnectDocument } from './document-client.ts';
import { openWebSocket } from './open-websocket.ts';

/** y-websocket's protocol: y-protocols' sync messages behind a type. It loads in the background, so that its first answer may be of an empty document. */
export const connectYWebsocket: ConnectDocument = async (options) => {
  const { port, document, since, onUpdate, onAwareness, onFailure } = options;
  let synced: () => void = () => undefined;
  const whenSynced = new Promise<void>((resolve) => {
    synced = resolve;
  });
  const { socket, opened, close } = openWebSocket(
    port,
    `/${document}`,
    (data) => {
      const decoder = decoding.createDecoder(data);
      const type = decoding.readVarUint(decoder);
      if (type === 1) onAwareness?.(decoding.readVarUint8Array(decoder));
      if (type !== 0) return;
      const kind = decoding.readVarUint(decoder);
      if (kind === 0) return;
      onUpdate(decoding.readVarUint8Array(decoder));
      if (kind === 1) synced();
    },
    onFailure,
  );
  await opened;
  const message = (types: readonly number[], bytes: Uint8Array): Uint8Array => {
    const encoder = encoding.createEncoder();
    for (const type of types) encoding.writeVarUint(encoder, type);
    encoding.writeVarUint8Array(encoder, bytes);
    return encoding.toUint8Array(encoder);
  };
  socket.send(message([0, 0], since?.stateVector ?? new Uint8Array([0])));
  await whenSynced;
  return {
    send: (update) => socket.send(message([0, 2], update)),
    show: (awareness) => socket.send(message([1], awareness)),
    close,
  };
};
