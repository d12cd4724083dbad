import type { ConnectDocument } from './document-client.ts';
import { connectEngine } from './engine.ts';

/** y-socket.io's protocol: a namespace per document, its state by ack, updates as binary events. */
export const connectYSocketIo: ConnectDocument = async (options) => {
  const { port, document, since, onUpdate, onAwareness, onFailure } = options;
  let greeted: () => void = () => undefined;
  const whenGreeted = new Promise<void>((resolve) => {
    greeted = resolve;
  });
  const engine = await connectEngine({
    port,
    namespace: `/yjs|${document}`,
    onBinary: (head, bytes, own) => {
      if (head.includes('["sync-update"')) onUpdate(bytes);
      else if (head.includes('["awareness-update"')) onAwareness?.(bytes);
      // The server asks for the client's state first; until then it does not listen.
      else if (head.includes('["sync-step-1"')) {
        const id = head.slice(0, head.indexOf('['));
        if (id !== '') own.answerBinary(id, new Uint8Array([0, 0]));
        greeted();
      }
    },
    onFailure,
  });
  await whenGreeted;
  const { bytes } = await engine.askBinary(['sync-step-1'], since?.stateVector ?? new Uint8Array([0]));
  onUpdate(bytes);
  return {
    send: (update) => engine.emitBinary(['sync-update'], update),
    show: (awareness) => engine.emitBinary(['awareness-update'], awareness),
    close: engine.close,
  };
};
