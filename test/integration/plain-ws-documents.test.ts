import { pino } from 'pino';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { awarenessFrame, updateFrames } from '../support/plain-ws/frames.ts';
import { PlainClient } from '../support/plain-ws/plain-client.ts';
import { startServer, tokenFor } from '../support/start-server.ts';

/** A logger that tells when the server has made a document's snapshot: from then on joiners are handed its state in chunks. */
function watchCompaction() {
  const waiting = new Set<() => void>();
  const lines: string[] = [];
  const write = (line: string) => {
    lines.push(line);
    for (const wake of waiting) wake();
  };
  return {
    logger: pino({ level: 'debug' }, { write }),
    async compacted(): Promise<void> {
      while (!lines.some((line) => line.includes('document:compacted'))) {
        await new Promise<void>((resolve) => waiting.add(resolve));
      }
    },
  };
}

test('a client that is cut off amid its updates resumes its session, and nothing is lost or doubled', async () => {
  await using server = await startServer();
  using ada = await PlainClient.connect(server.url, tokenFor('ada'));
  const document = ada.document('plan');
  await ada.until(() => document.live);
  for (let index = 0; index < 50; index++) document.text.insert(index, String(index % 10));
  ada.cut();
  await ada.until(() => !ada.online);
  await ada.until(() => document.saved);
  expect(document.answer).toMatchObject({ success: true });
  const copy = await server.realtime.documents.read('plan');
  expect(copy.getText('t').toString()).toBe('0123456789'.repeat(5));
});

test('whoever presents the session goes on with it, whoever does not must take another client id', async () => {
  await using server = await startServer();
  using old = await PlainClient.connect(server.url, tokenFor('ada'));
  using fresh = await PlainClient.connect(server.url, tokenFor('ada'));
  using eve = await PlainClient.connect(server.url, tokenFor('eve'));
  const join = (client: PlainClient, session: string) => client.ask('join-room', 'doc:plan', { clientId: 5, session });
  const shows = (client: PlainClient) => client.ask('document', 'doc:plan', awarenessFrame(5, { pointer: 1 }));
  const secret = 'a-secret-of-more-than-22-letters';
  expect(await join(old, secret)).toMatchObject({ success: true });
  expect(await join(fresh, 'another-of-more-than-22-letters')).toMatchObject({ error: { code: 'id-in-use', room: 'doc:plan' } });
  expect(await join(eve, 'another-of-more-than-22-letters')).toMatchObject({ error: { code: 'foreign-client-id' } });
  expect(await join(eve, secret)).toMatchObject({ error: { code: 'id-in-use' } });
  expect(await shows(old)).toEqual({ success: true });
  // The old connection is still there; nobody has noticed that its client is gone.
  expect(await join(fresh, secret)).toMatchObject({ success: true });
  expect(await shows(fresh)).toEqual({ success: true });
  expect(await shows(old)).toMatchObject({ error: { code: 'not-a-member', room: 'doc:plan' } });
});

test('a document of several megabytes loads in chunks, with other events between them', async () => {
  const { logger, compacted } = watchCompaction();
  await using server = await startServer({ logger, compactAfterBytes: 1_000 });
  const text = 'all work and no play '.repeat(150_000);
  await server.realtime.documents.create('book', (doc) => doc.getText('t').insert(0, text));
  await compacted();
  using ada = await PlainClient.connect(server.url, tokenFor('ada'));
  const document = ada.document('book');
  await ada.until(() => document.whole);
  expect(document.seen.filter((type) => type === 'state').length).toBeGreaterThanOrEqual(Math.floor(text.length / 256_000));
  expect(document.text.toString()).toBe(text);
  document.text.insert(0, 'Jack: ');
  await ada.until(() => document.saved);
  using bob = await PlainClient.connect(server.url, tokenFor('bob'));
  const other = bob.document('book');
  await bob.until(() => other.whole);
  expect(other.text.length).toBe(text.length + 6);
});

test('a paste of 3 MB goes in parts and is stored as one update', async () => {
  await using server = await startServer();
  using ada = await PlainClient.connect(server.url, tokenFor('ada'));
  using bob = await PlainClient.connect(server.url, tokenFor('bob'));
  const document = ada.document('book');
  const other = bob.document('book');
  await ada.until(() => document.live);
  await bob.until(() => other.live);
  let updates = 0;
  other.doc.on('update', () => updates++);
  const text = 'zwölf Boxkämpfer '.repeat(180_000);
  document.text.insert(0, text);
  document.text.insert(0, 'and on: ');
  await ada.until(() => document.saved);
  await bob.until(() => other.text.length === text.length + 8);
  expect(other.text.toString()).toBe(`and on: ${text}`);
  expect(updates).toBe(2);
});

test('parts that do not come in order are refused, and may be sent again from the first', async () => {
  await using server = await startServer();
  using ada = await PlainClient.connect(server.url, tokenFor('ada'));
  const document = ada.document('plan');
  await ada.until(() => document.live);
  const doc = new Y.Doc();
  doc.clientID = document.doc.clientID;
  doc.getText('t').insert(0, 'stone '.repeat(100));
  const parts = updateFrames(1, false, Y.encodeStateAsUpdate(doc), 148);
  expect(parts.length).toBeGreaterThan(3);
  const send = (frames: Uint8Array[]) => {
    for (const frame of frames) ada.emit('document', 'doc:plan', frame);
  };
  send([parts[0] as Uint8Array, ...parts.slice(2)]);
  await ada.until(() => document.seen.includes('refused'));
  expect(document.seen).not.toContain('committed');
  send(parts);
  await ada.until(() => document.seen.includes('committed'));
  const copy = await server.realtime.documents.read('plan');
  expect(copy.getText('t').toString()).toBe('stone '.repeat(100));
});

test('an update that builds on what the server never got is a gap, and a full step closes it', async () => {
  await using server = await startServer();
  using ada = await PlainClient.connect(server.url, tokenFor('ada'));
  const document = ada.document('plan');
  await ada.until(() => document.live);
  ada.cut({ stayAway: true });
  await ada.until(() => !ada.online);
  document.text.insert(0, 'lost with the outbox; ');
  document.text.delete(0, 5);
  document.forgetUnsent();
  await ada.comeBack();
  await ada.until(() => document.live);
  document.text.insert(document.text.length, 'kept');
  await ada.until(() => document.saved);
  expect(document.seen).toContain('gap');
  const copy = await server.realtime.documents.read('plan');
  expect(copy.getText('t').toString()).toBe('with the outbox; kept');
  document.text.insert(0, 'on ');
  await ada.until(() => document.saved);
});

test('[2] a document of another log is told so, and a full step brings back what that log lacks', async () => {
  await using first = await startServer();
  using ada = await PlainClient.connect(first.url, tokenFor('ada'));
  const document = ada.document('plan');
  document.text.insert(0, 'before the disk was lost; ');
  document.text.delete(0, 7);
  await ada.until(() => document.saved);
  ada.cut({ stayAway: true });
  await using second = await startServer();
  await ada.until(() => !ada.online);
  ada.moveTo(second.url);
  await ada.comeBack();
  await ada.until(() => document.saved);
  expect(document.answer).toMatchObject({ recovered: false, reason: 'epoch', saved: 0 });
  const copy = await second.realtime.documents.read('plan');
  expect(copy.getText('t').toString()).toBe('the disk was lost; ');
});

test('what a position says before a state has come is that nothing has come', async () => {
  await using server = await startServer();
  await server.realtime.documents.create('plan', (doc) => doc.getText('t').insert(0, 'seed'));
  using ada = await PlainClient.connect(server.url, tokenFor('ada'));
  const answer = await ada.ask('join-room', 'doc:plan');
  expect(answer).toMatchObject({ recovered: false, reason: 'new', seq: 0, head: 1 });
  // A client that trusts it, and is cut off before its first state, misses nothing.
  const again = await ada.ask('join-room', 'doc:plan', { epoch: answer.epoch, seq: answer.seq });
  expect(again).toMatchObject({ recovered: true, seq: 0, head: 1 });
});

test('a document that was created again loads whole, and its position is good for the next join', async () => {
  await using server = await startServer();
  const { documents } = server.realtime;
  await documents.create('plan', (doc) => doc.getText('t').insert(0, 'first life'));
  await documents.delete('plan');
  await documents.create('plan', (doc) => doc.getText('t').insert(0, 'second life'));
  using ada = await PlainClient.connect(server.url, tokenFor('ada'));
  const document = ada.document('plan');
  await ada.until(() => document.whole);
  expect(document.text.toString()).toBe('second life');
  await documents.delete('plan');
  await ada.until(() => document.ended === 'gone');
  await documents.create('plan');
  using bob = await PlainClient.connect(server.url, tokenFor('bob'));
  const empty = bob.document('plan');
  await bob.until(() => empty.whole);
  expect(empty.text.toString()).toBe('');
  bob.cut();
  await bob.until(() => !bob.online);
  await bob.until(() => empty.live);
  expect(empty.answer).toMatchObject({ recovered: true });
});
