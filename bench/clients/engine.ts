import { openWebSocket } from './open-websocket.ts';

/** A Socket.IO connection by hand: what a stock client sends and takes, without its cost, so that the server is what is measured. */
export interface Engine {
  emit(args: readonly unknown[]): void;
  /** An event whose last argument is binary. */
  emitBinary(args: readonly unknown[], bytes: Uint8Array): void;
  ask(args: readonly unknown[]): Promise<unknown[]>;
  askBinary(args: readonly unknown[], bytes: Uint8Array): Promise<{ args: unknown[]; bytes: Uint8Array }>;
  answerBinary(id: string, bytes: Uint8Array): void;
  close(): void;
}

export interface EngineOptions {
  readonly port: number;
  readonly namespace?: string;
  readonly auth?: object;
  /** An event without attachments, as JSON text: parsed only by who needs it. */
  readonly onEvent?: (json: string) => void;
  /** An event with one attachment; `head` is the text before it, without its type: `["name",…]` with a placeholder, perhaps an ack id before it. */
  readonly onBinary?: (head: string, bytes: Buffer, engine: Engine) => void;
  readonly onFailure: (error: Error) => void;
}

const PLACEHOLDER = '{"_placeholder":true,"num":0}';

export async function connectEngine({ port, namespace, auth, onEvent, onBinary, onFailure }: EngineOptions): Promise<Engine> {
  const nsp = namespace === undefined ? '' : `${namespace},`;
  const acks = new Map<number, (args: unknown[]) => void>();
  const binaryAcks = new Map<number, (answer: { args: unknown[]; bytes: Uint8Array }) => void>();
  let nextId = 0;
  let head: string | null = null;
  let connected: () => void = () => undefined;
  let refused: (error: Error) => void = onFailure;
  const whenConnected = new Promise<void>((resolve, reject) => {
    connected = resolve;
    refused = reject;
  });

  const readText = (text: string): void => {
    const kind = text[0] === '4' ? text[1] : text[0] === '2' ? 'ping' : text[0] === '0' ? 'open' : 'other';
    const body = text.slice(2).replace(kind === '5' || kind === '6' ? /^\d+-/ : '', '');
    const rest = nsp !== '' && body.startsWith(nsp) ? body.slice(nsp.length) : body;
    if (kind === '2') onEvent?.(rest);
    else if (kind === '5' || kind === '6') head = kind + rest;
    else if (kind === 'ping') connection.socket.send('3');
    else if (kind === 'open') connection.socket.send(`40${nsp}${auth === undefined ? '' : JSON.stringify(auth)}`);
    else if (kind === '0') connected();
    else if (kind === '3') {
      const bracket = rest.indexOf('[');
      const id = Number(rest.slice(0, bracket));
      acks.get(id)?.(JSON.parse(rest.slice(bracket)) as unknown[]);
      acks.delete(id);
    } else if (kind === '4') refused(new Error(`refused: ${rest}`));
    else if (kind === '1') onFailure(new Error('disconnected by the server'));
  };
  const readBinary = (bytes: Buffer): void => {
    const before = head ?? '';
    head = null;
    if (before[0] === '5') onBinary?.(before.slice(1), bytes, engine);
    else {
      const bracket = before.indexOf('[');
      const id = Number(before.slice(1, bracket));
      binaryAcks.get(id)?.({ args: JSON.parse(before.slice(bracket)) as unknown[], bytes });
      binaryAcks.delete(id);
    }
  };
  const connection = openWebSocket(
    port,
    '/socket.io/?EIO=4&transport=websocket',
    (data, binary) => (binary ? readBinary(data) : readText(data.toString('latin1'))),
    (error) => {
      refused(error);
      onFailure(error);
    },
  );
  const { socket, close } = connection;
  const withPlaceholder = (args: readonly unknown[]): string => `${JSON.stringify(args).slice(0, -1)},${PLACEHOLDER}]`;
  const engine: Engine = {
    emit: (args) => socket.send(`42${nsp}${JSON.stringify(args)}`),
    emitBinary(args, bytes) {
      socket.send(`451-${nsp}${withPlaceholder(args)}`);
      socket.send(bytes);
    },
    ask(args) {
      const id = nextId++;
      socket.send(`42${nsp}${id}${JSON.stringify(args)}`);
      return new Promise((resolve) => acks.set(id, resolve));
    },
    askBinary(args, bytes) {
      const id = nextId++;
      socket.send(`451-${nsp}${id}${withPlaceholder(args)}`);
      socket.send(bytes);
      return new Promise((resolve) => binaryAcks.set(id, resolve));
    },
    answerBinary(id, bytes) {
      socket.send(`461-${nsp}${id}[${PLACEHOLDER}]`);
      socket.send(bytes);
    },
    close,
  };
  await connection.opened;
  await whenConnected;
  return engine;
}
