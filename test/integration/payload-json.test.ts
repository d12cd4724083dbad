import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { defineEvent } from '../../shared/define-event.ts';
import { ask, startServer, tokenFor } from '../support/start-server.ts';

const poke = defineEvent({
  name: 'lobby:poke',
  room: 'lobby',
  sentBy: ['client'],
  payload: z.optional(z.object({})),
  delivery: { class: 'log' },
});
const amount = defineEvent({
  name: 'lobby:amount',
  room: 'lobby',
  sentBy: ['client'],
  payload: z.object({ n: z.coerce.bigint() }),
  delivery: { class: 'ephemeral' },
});
const said = defineEvent({
  name: 'lobby:said',
  room: 'lobby',
  sentBy: ['client'],
  payload: z.object({ n: z.number() }),
  delivery: { class: 'log' },
});
const numbered = defineEvent({
  name: 'lobby:numbered',
  room: 'lobby',
  sentBy: ['client'],
  payload: z.object({ n: z.number() }),
  delivery: { class: 'state', key: ({ n }: { n: number }) => n as unknown as string },
});

test('[5] an event without a payload, which its schema allows and JSON cannot hold, is refused, and the room can be joined', async () => {
  await using server = await startServer({ events: [poke, said] });
  const anna = await server.connect(tokenFor('anna'));
  expect(await ask(anna, 'lobby:poke')).toMatchObject({ success: false, error: { code: 'invalid-payload' } });
  expect(await ask(anna, 'lobby:said', { n: 1 })).toMatchObject({ success: true, meta: { seq: 1 } });

  const ben = await server.connect(tokenFor('ben'));
  const told = new Promise((resolve) => ben.once('lobby:said', resolve));
  const refused = new Promise((resolve) => ben.once('error', resolve));
  expect(await ask(ben, 'join-room', 'lobby')).toMatchObject({ success: true });
  expect(await Promise.race([told, refused])).toEqual({ n: 1 });
});

test('[5] a payload of which a schema makes what JSON cannot hold is refused, also behind a commit, and commits go on', async () => {
  await using server = await startServer({ events: [amount, said] });
  const anna = await server.connect(tokenFor('anna'));
  const answers = [
    ask(anna, 'lobby:said', { n: 1 }),
    ask(anna, 'lobby:amount', { n: 5 }),
    ask(anna, 'lobby:said', { n: 2 }),
    ask(anna, 'lobby:amount', { n: 6 }),
  ];
  expect(await Promise.all(answers)).toMatchObject([
    { success: true, meta: { seq: 1 } },
    { success: false, error: { code: 'invalid-payload' } },
    { success: true, meta: { seq: 2 } },
    { success: false, error: { code: 'invalid-payload' } },
  ]);
});

test('[8] a state event whose key is no string is refused in words', async () => {
  await using server = await startServer({ events: [numbered] });
  const anna = await server.connect(tokenFor('anna'));
  expect(await ask(anna, 'lobby:numbered', { n: 1 })).toMatchObject({
    success: false,
    error: { code: 'invalid-payload', detail: 'lobby:numbered: its key is no string' },
  });
});

test('[1] what the backend does to a payload after it was published changes nothing: members are sent what is stored', async () => {
  await using server = await startServer();
  const anna = await server.connect(tokenFor('anna'));
  await ask(anna, 'join-room', 'batch:1');
  const live = new Promise((resolve) => anna.once('batch:completed', resolve));
  const part: { value: unknown } = { value: 'as published' };
  const published = server.realtime.toRoom('batch:1', 'batch:completed', { batchId: '1', results: [part], duration: 1 });
  part.value = 1n;
  // Submitted by now, and not committed yet.
  setImmediate(() => {
    part.value = 2n;
  });
  await published;

  const ben = await server.connect(tokenFor('ben'));
  const replayed = new Promise((resolve) => ben.once('batch:completed', resolve));
  await ask(ben, 'join-room', 'batch:1');
  expect(await live).toEqual({ batchId: '1', results: [{ value: 'as published' }], duration: 1 });
  expect(await replayed).toEqual(await live);
});

test('a notification whose id holds half of a surrogate pair is refused: marked read, it would be unread again after a restart', async () => {
  await using server = await startServer();
  const notification = (id: string) =>
    ({ id, level: 'info', title: 't', message: 'm', timestamp: '2026-01-01T00:00:00Z' }) as const;
  await expect(server.realtime.toUser('anna', 'system:notification', notification('a\ud800'))).rejects.toMatchObject({
    code: 'invalid-payload',
    detail: expect.stringContaining('half of a character'),
  });
  expect(await server.realtime.toUser('anna', 'system:notification', notification('a\u{1f600}'))).toMatchObject({ seq: 1 });
});
