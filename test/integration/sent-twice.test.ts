import { expect, test } from 'vitest';
import * as z from 'zod';
import { openMemoryStore } from '../../server/testing/memory-store.ts';
import { defineEvent } from '../../shared/define-event.ts';
import { gateStore } from '../support/gated-store.ts';
import { ask, startServer, tokenFor } from '../support/start-server.ts';

const noted = defineEvent({
  name: 'order:noted',
  room: 'order:*',
  sentBy: ['client'],
  payload: z.object({ text: z.string() }),
  delivery: { class: 'log' },
});
const counted = defineEvent({
  name: 'order:counted',
  room: 'order:*',
  sentBy: ['client'],
  payload: z.object({ count: z.number() }),
  delivery: { class: 'log' },
});
const events = [noted, counted] as const;
const meta = (id?: string) => ({ room: 'order:1', ...(id === undefined ? {} : { id }) });

test('[2] the product hears once of an event that is sent again, over whatever sockets, during and after the first, and after a restart', async () => {
  const heard: unknown[] = [];
  await using server = await startServer({ events: [...events] });
  server.realtime.on('client:event', ({ data }) => heard.push(data));
  const tabs = [await server.connect(tokenFor('ada')), await server.connect(tokenFor('ada'))] as const;
  const answers = await Promise.all(
    [0, 1, 2, 3].map((copy) => ask(tabs[copy % 2 === 0 ? 0 : 1], 'order:noted', { text: `copy ${copy}` }, meta('n1'))),
  );
  answers.push(await ask(tabs[1], 'order:noted', { text: 'later' }, meta('n1')));
  await server.stop();
  await using again = await startServer({ events: [...events], dataDir: server.dataDir });
  again.realtime.on('client:event', ({ data }) => heard.push(data));
  answers.push(await ask(await again.connect(tokenFor('ada')), 'order:noted', { text: 'much later' }, meta('n1')));
  for (const answer of answers) expect(answer).toEqual({ ...answers[0], success: true, data: { text: 'copy 0' } });
  expect(heard).toEqual([{ text: 'copy 0' }]);
});

test('an event under the id of another kind of event is refused: it would be told that it is stored', async () => {
  const store = gateStore(openMemoryStore());
  await using server = await startServer({ events: [...events], store });
  const ada = await server.connect(tokenFor('ada'));
  const conflict = { success: false, error: { code: 'idempotency-conflict', room: 'order:1' } };
  const goOn = store.hold('append');
  const first = ask(ada, 'order:noted', { text: 'a' }, meta('n1'));
  const during = ask(ada, 'order:counted', { count: 1 }, meta('n1'));
  goOn();
  expect(await first).toMatchObject({ success: true });
  expect(await during).toMatchObject(conflict);
  expect(await ask(ada, 'order:counted', { count: 1 }, meta('n1'))).toMatchObject(conflict);
  expect(await ask(ada, 'order:counted', { count: 1 }, meta('n2'))).toMatchObject({ success: true, meta: { seq: 2 } });
});

test('[2] what a user sends comes in the order in which it was sent, with an id to look up or without', async () => {
  await using server = await startServer({ events: [...events] });
  const [ada, bob] = [await server.connect(tokenFor('ada')), await server.connect(tokenFor('bob'))];
  const seen: string[] = [];
  bob.on('order:noted', ({ text }: { text: string }) => seen.push(text));
  await ask(bob, 'join-room', 'order:1');
  const send = (text: string, id?: string) => ask(ada, 'order:noted', { text }, meta(id));
  const answers = await Promise.all([send('one', 'a'), send('two'), send('three', 'b'), send('three again', 'b'), send('four')]);
  expect(answers.map((answer) => answer.meta.seq)).toEqual([1, 2, 3, 3, 4]);
  while (seen.length < 4) await new Promise((resolve) => bob.once('order:noted', resolve));
  expect(seen).toEqual(['one', 'two', 'three', 'four']);
});
