import { expect, test, vi } from 'vitest';
import { Awareness, applyAwarenessUpdate } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { connectTo } from '../support/connect-to.ts';
import { FrameClient } from '../support/frame-client.ts';
import { ask, startServer, tokenFor } from '../support/start-server.ts';

const ADA = 1;
const BOB = 2;
const EVE = 666;

test('[4] nobody speaks for another: not in presence, chat or typing, not under another id, not with a session that is not theirs', async () => {
  await using server = await startServer();
  const ada = new FrameClient(await connectTo(server.url, tokenFor('ada', { name: 'Ada' })), 'forgery', ADA);
  const eve = new FrameClient(await connectTo(server.url, tokenFor('eve', { name: 'Eve' })), 'forgery', EVE);
  const bob = new FrameClient(await connectTo(server.url, tokenFor('bob')), 'forgery', BOB);
  for (const client of [ada, eve, bob]) {
    expect(await client.join()).toMatchObject({ success: true });
    client.sync();
    await client.frame('state');
  }
  const refusals: string[] = [];
  eve.socket.on('error', ({ code }: { code: string }) => refusals.push(code));
  const show = (client: FrameClient, clientId: number, state: object | null) => {
    const json = new TextEncoder().encode(JSON.stringify(state));
    client.send({ type: 'awareness', update: Uint8Array.from([1, ...varUint(clientId), 99, ...varUint(json.length), ...json]) });
  };
  const shownTo = async (client: FrameClient) => {
    await ask(client.socket, 'room:members', client.room);
    const awareness = new Awareness(new Y.Doc());
    for (const frame of client.received) if (frame.type === 'awareness') applyAwarenessUpdate(awareness, frame.update, null);
    const states = new Map(awareness.getStates());
    awareness.destroy();
    states.delete(awareness.clientID);
    return states;
  };

  // Presence: only one's own, and under the name of the token.
  show(ada, ADA, { pointer: 1 });
  show(eve, EVE, { pointer: 2, user: { id: 'ada', name: 'Ada', color: '#000000' }, name: 'Ada' });
  show(eve, ADA, { pointer: 3 });
  show(eve, ADA, null);
  await vi.waitFor(() => expect(refusals).toEqual(['foreign-client-id', 'foreign-client-id']));
  const shown = await shownTo(bob);
  expect(shown.get(ADA)).toMatchObject({ pointer: 1, user: { id: 'ada', name: 'Ada' } });
  expect(shown.get(EVE)).toMatchObject({ pointer: 2, user: { id: 'eve', name: 'Eve' } });

  // Content: not under another's id, live or gone, and not by another's session.
  const forged = Y.encodeStateAsUpdate(textBy(ADA, 'ada says so'));
  eve.update(1, forged);
  expect(await eve.frame('refused', ({ counter }) => counter === 1)).toMatchObject({ code: 'foreign-client-id' });
  ada.update(1, Y.encodeStateAsUpdate(textBy(ADA, 'mine')));
  await ada.frame('committed');
  const joinAs = async (user: string, clientId: number, session: string) => {
    const thief = await connectTo(server.url, tokenFor(user));
    const answer = await ask(thief, 'join-room', 'doc:forgery', { clientId, session });
    thief.disconnect();
    return answer.success ? 'joined' : answer.error.code;
  };
  const wrong = 'not-the-secret-xxxxxxxxxxxxxxxx';
  expect(await joinAs('eve', ADA, wrong)).toBe('foreign-client-id');
  expect(await joinAs('eve', ADA, ada.session)).toBe('id-in-use');
  expect(await joinAs('eve', 4_444, ada.session)).toBe('id-in-use');
  expect(await joinAs('ada', ADA, wrong)).toBe('id-in-use');
  ada.socket.disconnect();
  await vi.waitFor(async () => expect((await shownTo(bob)).has(ADA)).toBe(false));
  expect(await joinAs('eve', ADA, wrong)).toBe('foreign-client-id');
  expect(await joinAs('eve', ADA, ada.session)).not.toBe('joined');
  eve.update(1, Y.encodeStateAsUpdate(textBy(ADA, 'mine, and more')));
  await vi.waitFor(() => expect(eve.received.filter(({ type }) => type === 'refused')).toHaveLength(2));
  expect((await server.realtime.documents.read('forgery')).getText('text').toString()).toBe('mine');

  // Chat and typing: who said it is the token's, whatever the message says.
  await ask(bob.socket, 'join-room', 'chat:forgery');
  const heard: unknown[] = [];
  for (const name of ['chat:message', 'chat:typing']) bob.socket.on(name, (payload: unknown) => heard.push(payload));
  const claim = { id: 'm-1', userId: 'ada', name: 'Ada', sender: 'assistant', timestamp: new Date(0).toISOString() };
  await ask(eve.socket, 'chat:typing', { sessionId: 'forgery', isTyping: true, ...claim }, { userId: 'ada' });
  const answer = await ask(eve.socket, 'chat:message', { sessionId: 'forgery', content: 'hi', ...claim }, { userId: 'ada' });
  expect(answer.data).toMatchObject({ userId: 'eve', name: 'Eve', sender: 'user' });
  expect(answer.data.id).not.toBe('m-1');
  await vi.waitFor(() => expect(heard.length).toBeGreaterThanOrEqual(2));
  for (const payload of heard) expect(payload).toMatchObject({ userId: 'eve', name: 'Eve' });

  // What is another's alone stays so.
  expect(await ask(eve.socket, 'join-room', 'user:ada')).toMatchObject({ error: { code: 'access-denied' } });
  expect(await ask(eve.socket, 'room:grant', { room: 'doc:forgery', userId: 'eve', access: 'admin' })).toMatchObject({
    error: { code: 'access-denied' },
  });
  expect(await ask(eve.socket, 'auth:renew', tokenFor('ada'))).toMatchObject({ error: { code: 'invalid-token' } });
  for (const client of [eve, bob]) client.socket.disconnect();
});

function textBy(clientId: number, text: string): Y.Doc {
  const doc = new Y.Doc();
  doc.clientID = clientId;
  doc.getText('text').insert(0, text);
  return doc;
}

function varUint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varUint(value >>> 7)];
}
