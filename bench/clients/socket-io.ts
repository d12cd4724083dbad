import type { ConnectDocument } from './document-client.ts';
import { connectEngine } from './engine.ts';

/** Updates as binary arguments of stock events. */
export const connectSocketIoBinary: ConnectDocument = async (options) => {
  const { port, document, onUpdate, onAwareness, onEvent, onFailure } = options;
  const engine = await connectEngine({
    port,
    ...(onEvent && { onEvent }),
    onBinary: (head, bytes) => (head.startsWith('["awareness"') ? onAwareness?.(bytes) : onUpdate(bytes)),
    onFailure,
  });
  await engine.ask(['join', document]);
  return {
    send: (update) => engine.emitBinary(['update', document], update),
    show: (awareness) => engine.emitBinary(['awareness', document], awareness),
    events: engine,
    close: engine.close,
  };
};

/** Updates as base64 in stock JSON events. */
export const connectSocketIoJson: ConnectDocument = async ({ port, document, onUpdate, onFailure }) => {
  const start = '["update","'.length;
  const engine = await connectEngine({
    port,
    onEvent: (json) => onUpdate(Buffer.from(json.slice(start, -2), 'base64')),
    onFailure,
  });
  await engine.ask(['join', document]);
  return {
    send: (update) => engine.emit(['update', document, Buffer.from(update).toString('base64')]),
    close: engine.close,
  };
};
