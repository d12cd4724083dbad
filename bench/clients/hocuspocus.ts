import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import type { ConnectDocument } from './document-client.ts';
import { openWebSocket } from './open-websocket.ts';

const SYNC = 0;
const AWARENESS = 1;
const AUTH = 2;
const SYNC_STATUS = 8;

/** Hocuspocus' protocol: each message names its document; a token first, then y-protocols' sync messages. */
export const connectHocuspocus: ConnectDocument = async (options) => {
  const { port, document, since, onUpdate, onAwareness, onSaved, onFailure } = options;
  let saved = 0;
  let whole: () => void = () => undefined;
  const whenWhole = new Promise<void>((resolve) => {
    whole = resolve;
  });
  const message = (type: number, write: (encoder: encoding.Encoder) => void): Uint8Array => {
    const encoder = encoding.createEncoder();
    encoding.writeVarString(encoder, document);
    encoding.writeVarUint(encoder, type);
    write(encoder);
    return encoding.toUint8Array(encoder);
  };
  const { socket, opened, close } = openWebSocket(
    port,
    '/',
    (data) => {
      const decoder = decoding.createDecoder(data);
      decoding.readVarString(decoder);
      const type = decoding.readVarUint(decoder);
      if (type === SYNC) {
        const kind = decoding.readVarUint(decoder);
        if (kind === 0) return;
        onUpdate(decoding.readVarUint8Array(decoder));
        if (kind === 1) whole();
      } else if (type === AWARENESS) onAwareness?.(decoding.readVarUint8Array(decoder));
      else if (type === SYNC_STATUS) onSaved?.(++saved);
      else if (type === AUTH && decoding.readVarUint(decoder) === 1) onFailure(new Error('token refused'));
    },
    onFailure,
  );
  await opened;
  socket.send(
    message(AUTH, (encoder) => {
      encoding.writeVarUint(encoder, 0);
      encoding.writeVarString(encoder, 'token');
    }),
  );
  socket.send(
    message(SYNC, (encoder) => {
      encoding.writeVarUint(encoder, 0);
      encoding.writeVarUint8Array(encoder, since?.stateVector ?? new Uint8Array([0]));
    }),
  );
  await whenWhole;
  return {
    send: (update) =>
      socket.send(
        message(SYNC, (encoder) => {
          encoding.writeVarUint(encoder, 2);
          encoding.writeVarUint8Array(encoder, update);
        }),
      ),
    show: (awareness) => socket.send(message(AWARENESS, (encoder) => encoding.writeVarUint8Array(encoder, awareness))),
    close,
  };
};
