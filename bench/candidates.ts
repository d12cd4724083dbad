import { connectAshlar } from './clients/ashlar.ts';
import type { ConnectDocument } from './clients/document-client.ts';
import { connectHocuspocus } from './clients/hocuspocus.ts';
import { connectRaw } from './clients/raw.ts';
import { connectSocketIoBinary, connectSocketIoJson } from './clients/socket-io.ts';
import { connectYSocketIo } from './clients/y-socket-io.ts';
import { connectYWebsocket } from './clients/y-websocket.ts';

/** Something that one would pick: a server, and how its documents are spoken. */
export interface Candidate {
  readonly name: string;
  readonly what: string;
  /** A file of `servers/`. */
  readonly server: string;
  readonly connect: ConnectDocument;
  /** Whether a document can be had again from the server. A relay forgets. */
  readonly keeps: boolean;
  /** A file of `own-clients/`: the client library that its users have. */
  readonly ownClient?: string;
}

export const CANDIDATES: readonly Candidate[] = [
  {
    name: 'raw',
    what: 'a relay on ws, which stores nothing',
    server: 'raw-relay',
    connect: connectRaw,
    keeps: false,
  },
  {
    name: 'relay+commit',
    what: 'the raw relay with one hop to a worker and one FULL SQLite commit per group, and nothing else',
    server: 'relay-commit',
    connect: connectRaw,
    keeps: false,
  },
  {
    name: 'ashlar',
    what: 'this project, all defaults',
    server: 'ashlar',
    connect: connectAshlar,
    keeps: true,
    ownClient: 'ashlar',
  },
  {
    name: 'socket.io',
    what: 'stock Socket.IO 4.8.4, binary events, which stores nothing',
    server: 'socket-io',
    connect: connectSocketIoBinary,
    keeps: false,
  },
  {
    name: 'socket.io-json',
    what: 'stock Socket.IO 4.8.4, base64 in JSON events, which stores nothing',
    server: 'socket-io',
    connect: connectSocketIoJson,
    keeps: false,
  },
  {
    name: 'y-websocket',
    what: 'y-websocket 2.1.0 with y-leveldb 0.1.2',
    server: 'y-websocket',
    connect: connectYWebsocket,
    keeps: true,
    ownClient: 'y-websocket',
  },
  {
    name: 'y-socket.io',
    what: 'y-socket.io 1.1.3 with y-leveldb 0.1.2',
    server: 'y-socket-io',
    connect: connectYSocketIo,
    keeps: true,
    ownClient: 'y-socket-io',
  },
  {
    name: 'hocuspocus',
    what: 'Hocuspocus 4.7.0 with its SQLite extension',
    server: 'hocuspocus',
    connect: connectHocuspocus,
    keeps: true,
    ownClient: 'hocuspocus',
  },
];
