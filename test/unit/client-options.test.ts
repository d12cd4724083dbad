import { describe, expect, test } from 'vitest';
import { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { createClient, createEventClient } from '../../client/index.ts';
import { refusal } from '../support/refusal.ts';

const GOOD = { url: 'http://127.0.0.1:1', token: 'none' };

const create = createClient as (options?: unknown) => ReturnType<typeof createClient>;
const createForEvents = createEventClient as (options?: unknown) => unknown;

describe('a client is refused at once', () => {
  test.each([
    [{ ...GOOD, url: 5 }, 'url: string such as https://app.example.com (given: number 5)'],
    [{ ...GOOD, url: {} }, 'url: string such as https://app.example.com (given: object)'],
    [{ ...GOOD, url: 'not a url' }, 'url: string such as https://app.example.com (given: string not a url)'],
    [{ ...GOOD, url: 'ftp://x' }, 'url: string such as https://app.example.com (given: string ftp://x)'],
    [{ ...GOOD, url: 'app.example.com' }, 'url: '],
    [{ ...GOOD, url: 'https://app.example.com/realtime' }, 'url: '],
    [{ ...GOOD, url: '' }, 'url: '],
    // There is no page here whose address it could take.
    [{ ...GOOD, url: undefined }, 'url: '],
    [{ ...GOOD, token: 5 }, 'token: string or function (given: number 5)'],
    [{ ...GOOD, token: ['secret'] }, 'token: string or function (given: list)'],
    [{ url: GOOD.url }, 'token: string or function (given: object null)'],
    [{ ...GOOD, transports: [] }, 'transports: list of websocket, polling (given: list)'],
    [{ ...GOOD, transports: 'websocket' }, 'transports: list of websocket, polling (given: string websocket)'],
    [{ ...GOOD, transports: ['carrier-pigeon'] }, 'transports: '],
    [{ ...GOOD, path: 'realtime' }, 'path: string such as /socket.io/ (given: string realtime)'],
    [{ ...GOOD, maxAttempts: 0 }, 'maxAttempts: number from 1 (given: number 0)'],
    [{ ...GOOD, maxPending: Number.NaN }, 'maxPending: number from 1 (given: number NaN)'],
    [{ ...GOOD, maxPending: '5' }, 'maxPending: number from 1 (given: string 5)'],
    [{ ...GOOD, emitTimeoutMs: 10n }, 'emitTimeoutMs: number from 1 (given: bigint 10)'],
    [{ ...GOOD, events: 'x' }, 'events: list of events (given: string x)'],
    [{ ...GOOD, events: [undefined] }, 'event undefined is declared twice, or not at all'],
    [{ ...GOOD, events: [{}] }, 'event undefined is declared twice, or not at all'],
    [{ ...GOOD, onError: 'x' }, 'onError: function (given: string x)'],
    [{ ...GOOD, environment: null }, 'environment: object (given: object null)'],
    [{ ...GOOD, warnBeforeUnload: 'no' }, 'warnBeforeUnload: boolean (given: string no)'],
    [{ ...GOOD, userId: 7 }, 'userId: string (given: number 7)'],
    [{ ...GOOD, offlineStorage: 'memory' }, 'offlineStorage: object (given: string memory)'],
    [{ ...GOOD, evnts: [] }, 'evnts: none of url, token, '],
    [undefined, 'url: '],
    [null, 'url: '],
    ['http://127.0.0.1:1', 'options: none of url, token, '],
  ])('where an option is wrong, which is named with what is allowed and what was given: %#', (options, detail) => {
    const error = refusal(() => create(options));
    expect(error.code).toBe('invalid-options');
    expect(error.detail).toContain(detail);
  });

  test('and never shows what may be a token under another name', () => {
    expect(refusal(() => create({ ...GOOD, tokne: 'secret' })).message).not.toContain('secret');
  });

  test('also one without documents, which takes nothing of theirs', () => {
    expect(refusal(() => createForEvents({ ...GOOD, transports: [] })).detail).toContain('transports: ');
    expect(refusal(() => createForEvents({ ...GOOD, userId: 'ada' })).detail).toContain('userId: none of ');
    expect(refusal(() => createForEvents())).toMatchObject({ code: 'invalid-options' });
  });
});

test.each([
  { url: 'https://app.example.com' },
  { url: 'https://app.example.com/' },
  { url: 'wss://[::1]:8443' },
  { token: () => 'x' },
  { transports: ['polling'] as const },
  { transports: ['websocket', 'polling'] as const },
  { maxAttempts: Number.POSITIVE_INFINITY, maxPending: 1, events: [] },
  { path: '/realtime/socket.io/', userId: 'ada', onError: undefined, environment: undefined },
])('what is fine passes: %j', (options) => {
  expect(create({ ...GOOD, ...options }).status.get()).toEqual({ state: 'idle' });
});

describe('a document is refused at once', () => {
  const doc = new Y.Doc();
  test.each([
    [{ doc: {} }, 'doc: a Y.Doc'],
    [{ doc: 'notes' }, 'doc: object (given: string notes)'],
    [{ awareness: {} }, 'awareness: one of that Y.Doc'],
    [{ doc, awareness: {} }, 'awareness: one of that Y.Doc'],
    [{ doc, awareness: new Awareness(new Y.Doc()) }, 'awareness: one of that Y.Doc'],
    [{ doc, offline: true }, 'offline: '],
    [{ offline: 'yes' }, 'offline: boolean (given: string yes)'],
    [{ ofline: true }, 'ofline: none of doc, awareness, offline'],
  ])('where an option is wrong: %#', (options, detail) => {
    const error = refusal(() => createClient(GOOD).document('notes', options as never));
    expect(error.code).toBe('invalid-options');
    expect(error.detail).toContain(detail);
  });

  test('and a Y.Doc of another copy of Yjs is none the worse', () => {
    // What instanceof would say of it.
    const foreign = new Proxy(doc, { getPrototypeOf: () => Object.prototype });
    expect(foreign).not.toBeInstanceOf(Y.Doc);
    expect(createClient(GOOD).document('notes', { doc: foreign }).doc).toBe(foreign);
  });
});

test('null in the place of options is none, as JavaScript passes it', async () => {
  const client = create(GOOD);
  const none = null as never;
  expect(client.document('notes', none).status.get()).toEqual({ state: 'offline' });
  expect(client.latest('dashboard:update', 'orders', none).get()).toBeUndefined();
  expect(await client.emit('chat:typing', { sessionId: 'team', isTyping: true }, none)).toEqual({});
  const asked = [client.chatHistory('team', none), client.unreadNotifications(none)];
  client.destroy();
  for (const answer of asked) await expect(answer).rejects.toMatchObject({ code: 'client-closed' });
});
