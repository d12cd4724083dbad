import { expect, test } from 'vitest';
import { CATALOG } from '../../shared/catalog.ts';
import { roomPatterns } from '../../shared/define-event.ts';
import { type DocumentFrame, decodeClientFrame, decodeServerFrame, encodeFrame } from '../../shared/document-frame.ts';
import { ERRORS, type ErrorCode } from '../../shared/errors.ts';
import { HTTP_STATUS } from '../../shared/http-status.ts';
import { plain, tableOf } from '../support/protocol-page.ts';

const hex = (text: string) => Uint8Array.from(plain(text).split(' '), (byte) => Number.parseInt(byte, 16));
const UPDATE = hex('01 01 01 00 04 01 01 74 02 68 69 00');
const VECTOR = hex('01 01 02');
const THREE = hex('aa bb cc');
const CURSOR = Uint8Array.from([1, 1, 0, 12, ...new TextEncoder().encode('{"choice":3}')]);

/** What each row of the page's byte examples says. */
const EXAMPLES: readonly DocumentFrame[] = [
  { type: 'sync', stateVector: hex('00') },
  { type: 'update', counter: 1, full: false, update: UPDATE },
  { type: 'update', counter: 3, full: true, update: UPDATE },
  { type: 'part', counter: 2, full: false, index: 0, count: 2, bytes: THREE },
  { type: 'pull', transfer: 300, index: 1 },
  { type: 'awareness', update: CURSOR },
  { type: 'state', transfer: 300, index: 0, count: 2, epoch: 'e1', seq: 7, stateVector: VECTOR, bytes: THREE },
  {
    type: 'committed',
    epoch: 'e1',
    entries: [
      { seq: 8, update: UPDATE },
      { seq: 9, counter: 2 },
    ],
  },
  { type: 'saved', counter: 3, epoch: 'e1', seq: 9 },
  { type: 'refused', counter: 4, code: 'rate-limited', retryAfterMs: 250, detail: '' },
  { type: 'gap', counter: 4, stateVector: VECTOR },
  { type: 'reset', reason: 'gone' },
];

test('the page lists every error code with its sentence, what to do and its status, and no other', () => {
  const listed = tableOf('code', 'message', 'retry').map((row) => row.map(plain));
  const status = (code: string) => String(HTTP_STATUS[code as ErrorCode]);
  const table = Object.entries(ERRORS).map(([code, { message, retry }]) => [code, message, retry, status(code)]);
  expect(listed).toEqual(table);
});

test('the page gives every frame its number and its direction', () => {
  const numbers = new Map(EXAMPLES.map((frame) => [frame.type, encodeFrame(frame)[0]]));
  const listed = tableOf('type', 'name', 'direction');
  expect(new Map(listed.map(([number, name]) => [plain(name), Number(number)]))).toEqual(numbers);
  for (const frame of EXAMPLES) {
    const direction = listed.find(([, name]) => plain(name) === frame.type)?.[2];
    const reads = (decode: (bytes: Uint8Array) => DocumentFrame) => {
      try {
        return decode(encodeFrame(frame)).type === frame.type;
      } catch {
        return false;
      }
    };
    const [server, client] = [reads(decodeClientFrame), reads(decodeServerFrame)];
    expect(direction, frame.type).toBe(server && client ? 'both' : server ? 'to the server' : 'to the client');
  }
});

test('the page’s examples, byte by byte, are what is sent and what is read', () => {
  const rows = tableOf('bytes', 'frame');
  expect(rows.map(([bytes]) => [...hex(bytes ?? '')])).toEqual(EXAMPLES.map((frame) => [...encodeFrame(frame)]));
  for (const [index, [bytes, said]] of rows.entries()) {
    const frame = EXAMPLES[index] as DocumentFrame;
    expect(said, plain(bytes)).toContain(`\`${frame.type}\``);
    const decode = ['sync', 'update', 'part', 'pull'].includes(frame.type) ? decodeClientFrame : decodeServerFrame;
    expect(decode(hex(bytes ?? ''))).toEqual(frame);
  }
});

test('the page’s event table is the catalog: names, fields, rooms, senders, classes', () => {
  const rows = tableOf('event', 'from a client');
  expect(rows.map(([name]) => plain(name))).toEqual(CATALOG.map((definition) => definition.name));
  for (const [index, [, fromClient, toClients, room, deliveryClass]] of rows.entries()) {
    const definition = CATALOG[index] as (typeof CATALOG)[number];
    const sentByClient = (definition.sentBy as readonly string[]).includes('client');
    expect(fromClient !== '–', `${definition.name} from a client`).toBe(sentByClient);
    if (sentByClient) expect(fieldsIn(fromClient), definition.name).toEqual(fieldsOf(definition.input));
    if (definition.delivery.class === 'request') expect(toClients, definition.name).toContain('–');
    else expect(fieldsIn(toClients), definition.name).toEqual(fieldsOf(definition.payload));
    const rooms = plain(room).replaceAll(/<\w+>/g, '*').split(' or ').sort();
    expect(rooms, definition.name).toEqual([...roomPatterns(definition)].sort());
    expect(deliveryClass?.split(' ')[0], definition.name).toBe(definition.delivery.class);
  }
});

/** `{ id, name? }` as the page writes it. */
function fieldsIn(cell: string | undefined): string[] {
  const [, fields = ''] = /\{([^}]*)\}/.exec(cell ?? '') ?? [];
  return fields.split(',').map((field) => field.trim());
}

/** The same from a schema: optional fields with a question mark. */
function fieldsOf(schema: unknown): string[] {
  const { shape } = (schema as { _zod: { def: { shape: Record<string, { _zod: { optin?: string } }> } } })._zod.def;
  return Object.entries(shape).map(([name, field]) => (field._zod.optin === 'optional' ? `${name}?` : name));
}
