import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import type { ConnectDocument } from './document-client.ts';
import { openWebSocket } from './open-websocket.ts';

/** y-websocket's protocol: y-protocols' sync messages behind a type. It loads in the background, so that its first answer may be of an empty document. */
export const connectYWebsocket: ConnectDocument = async ({ port, document, onUpdate, onFailure }) => {
  let synced: () => void = () => undefined;
  const whenSynced = new Promise<void>((resolve) => {
    synced = resolve;
  });
  const { socket, opened, close } = openWebSocket(
    port,
    `/${document}`,
    (data) => {
      const decoder = decoding.createDecoder(data);
      if (decoding.readVarUint(decoder) !== 0) return;
      const kind = decoding.readVarUint(decoder);
      if (kind === 0) return;
      onUpdate(decoding.readVarUint8Array(decoder));
      if (kind === 1) synced();
    },
    onFailure,
  );
  await opened;
  socket.send(new Uint8Array([0, 0, 1, 0]));
  await whenSynced;
  return {
    send(update) {
      const encoder = encoding.createEncoder();
      encoding.writeVarUint(encoder, 0);
      encoding.writeVarUint(encoder, 2);
      encoding.writeVarUint8Array(encoder, update);
      socket.send(encoding.toUint8Array(encoder));
    },
    close,
  };
};
