import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import * as z from 'zod/mini';
import { openForInspection } from '../../server/storage/sqlite/connection.ts';
import { loadSqlite } from '../../server/storage/sqlite/load-sqlite.ts';
import { verifyDatabase } from '../../server/storage/sqlite/verify.ts';
import { openMemoryStore } from '../../server/testing/memory-store.ts';
import { defineEvent } from '../../shared/define-event.ts';
import { AshlarError } from '../../shared/errors.ts';
import { parseRoomName } from '../../shared/room-name.ts';
import { auditEvents } from '../support/audit-events.ts';
import { FrameClient } from '../support/frame-client.ts';
import { gateStore } from '../support/gated-store.ts';
import { LogLines } from '../support/log-lines.ts';
import { runCli } from '../support/run-cli.ts';
import { ask, next, startServer, tokenFor } from '../support/start-server.ts';

const ADA = 'ada-7f31c9';
const NAME = 'Ada Quux';
const MARKER = 'zebrafinch';
const token = tokenFor(ADA, { name: NAME, permissions: ['publish'] });
const when = () => new Date(0).toISOString();

const note = defineEvent({
  name: 'note:added',
  room: 'note:*',
  sentBy: ['backend'],
  payload: z.object({ userId: z.string(), text: z.string() }),
  delivery: { class: 'log' },
});
const noteCount = defineEvent({
  name: 'note:count',
  room: 'note:*',
  sentBy: ['backend'],
  payload: z.object({ userId: z.string(), count: z.number() }),
  delivery: { class: 'state', key: ({ userId }) => userId },
});

/** Files of a folder that hold one of these words, in bytes. */
async function filesWith(dataDir: string, ...words: string[]): Promise<string[]> {
  const found: string[] = [];
  for (const file of await readdir(dataDir)) {
    const bytes = await readFile(join(dataDir, file)).catch((error: NodeJS.ErrnoException) => {
      // The witness is written beside itself, and renamed.
      if (error.code === 'ENOENT' && file.endsWith('.new')) return '';
      throw error;
    });
    for (const word of words) if (bytes.includes(word)) found.push(`${file}: ${word}`);
  }
  return found;
}

async function problems(dataDir: string): Promise<string[]> {
  const Sqlite = await loadSqlite();
  const db = openForInspection(Sqlite, join(dataDir, 'ashlar.db'));
  const { rooms, damage } = verifyDatabase(Sqlite, db);
  db.close();
  return [...damage, ...rooms.flatMap((room) => room.damage)];
}

/** Does everything by which a user gets into a store, in the company of bob. */
async function liveALittle(server: Awaited<ReturnType<typeof startServer<typeof auditEvents>>>) {
  const { realtime, url } = server;
  const bob = await server.connect(tokenFor('bob'), { auth: { autoJoin: false } });
  const ada = await server.connect(token);
  for (let index = 0; index < 40; index++) {
    const content = `${MARKER} ${index} ${'.'.repeat(index * 20)}`;
    expect(await ask(ada, 'chat:message', { sessionId: 's', content }, { id: `m${index}` })).toMatchObject({ success: true });
    if (index % 4 === 0)
      expect(await ask(bob, 'chat:message', { sessionId: 's', content: `bob ${index}` })).toMatchObject({ success: true });
  }
  await ask(ada, 'audit:entry', { entry: 1 }, { room: 'audit:main' });
  await realtime.toUser(ADA, 'system:notification', { id: 'n1', level: 'info', title: 't', message: MARKER, timestamp: when() });
  expect(await ask(ada, 'notification:read', { ids: ['n1'] })).toMatchObject({ success: true });
  await realtime.grant(ADA, 'doc:plan', 'admin');
  await realtime.revoke(ADA, 'chat:private');
  const publish = (as: string, key: string) =>
    fetch(`${url}/api/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${as}`, 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify({
        event: 'system:notification',
        userId: ADA,
        data: { id: key, level: 'info', title: 't', message: MARKER, timestamp: when() },
      }),
    });
  expect((await publish(token, 'k1')).status).toBeLessThan(300);
  expect((await publish(tokenFor('svc', { permissions: ['publish'] }), 'k2')).status).toBeLessThan(300);

  const hers = new FrameClient(ada, 'plan', 5);
  await hers.join();
  hers.sync();
  await hers.frame('state');
  const doc = new Y.Doc();
  doc.clientID = 5;
  doc.getText('t').insert(0, 'text that others build upon');
  hers.update(1, Y.encodeStateAsUpdate(doc));
  await hers.frame('committed');
  const his = new FrameClient(bob, 'plan', 6);
  await his.join();
  his.sync();
  await his.frame('state');
  const room = await ask(bob, 'join-room', 'chat:s');
  return { ada, bob, joined: room as { epoch: string; seq: number; head: number } };
}

test('a user who is erased is in no file any more, nor in memory; rooms keep their numbers, positions their validity, documents their content', async () => {
  const log = new LogLines();
  await using server = await startServer({ events: auditEvents, logger: log.logger, presenceGraceMs: 60_000 });
  const { realtime } = server;
  const { ada, bob, joined } = await liveALittle(server);
  expect((await filesWith(server.dataDir, ADA, MARKER, NAME)).length).toBeGreaterThan(0);

  const gone = next(ada, 'disconnect');
  const erasure = await realtime.eraseUser(ADA);
  await gone;
  expect(erasure).toEqual({
    records: 44,
    rooms: 1,
    documents: 1,
    updates: 1,
    clientIds: 1,
    sessions: 1,
    quarantined: 0,
    states: 0,
    grants: 2,
    keys: 1,
    mentions: 0,
    namedAfter: [],
  });
  expect(await filesWith(server.dataDir, ADA, MARKER, NAME)).toEqual([]);
  expect(await problems(server.dataDir)).toEqual([]);
  expect(await log.line('audit:erased')).toMatchObject({ userId: ADA, erasure });

  // Whoever has a position goes on from it, and gets what is left.
  const seen: { data: { content: string }; seq: number }[] = [];
  bob.on('chat:message', (data, { seq }) => seen.push({ data, seq }));
  const again = await ask(bob, 'join-room', 'chat:s', { epoch: joined.epoch, seq: 1 });
  expect(again).toMatchObject({ success: true, recovered: true, head: 50 });
  await vi.waitFor(() => expect(seen).toHaveLength(10));
  expect(seen.every(({ data }) => data.content.startsWith('bob'))).toBe(true);
  const page = await ask(bob, 'chat:history', { sessionId: 's', limit: 7 });
  expect(page).toMatchObject({ success: true, hasMore: true });
  expect(page.messages).toHaveLength(7);
  expect(JSON.stringify(page)).not.toContain(MARKER);
  const rest = await ask(bob, 'chat:history', { sessionId: 's', limit: 7, before: page.messages[0].meta.seq });
  expect(rest).toMatchObject({ hasMore: false });
  expect(rest.messages).toHaveLength(3);
  expect(await ask(bob, 'chat:message', { sessionId: 's', content: 'goes on' })).toMatchObject({ meta: { seq: 51 } });
  const members = await ask(bob, 'room:members', 'chat:s');
  expect(JSON.stringify(members)).not.toContain(ADA);

  // The document is as it was.
  expect((await realtime.documents.read('plan')).getText('t').toString()).toBe('text that others build upon');
  await using fresh = { client: new FrameClient(bob, 'plan', 9), async [Symbol.asyncDispose]() {} };
  expect(await fresh.client.join()).toMatchObject({ success: true });

  // A token that is still good makes a new, empty user: nothing of before is the user's.
  const back = await server.connect(token, { auth: { autoJoin: false } });
  expect(await ask(back, 'notification:list', { limit: 10 })).toMatchObject({ success: true, unread: 0 });
  expect(await ask(back, 'join-room', 'chat:private')).toMatchObject({ success: true, access: 'write' });
  const hers = new FrameClient(back, 'plan', 5);
  expect(await hers.join()).toMatchObject({ success: false, error: { code: 'foreign-client-id' } });
  await realtime.toUser(ADA, 'system:notification', { id: 'n9', level: 'info', title: 't', message: 'new', timestamp: when() });
  expect(await ask(back, 'notification:list', { limit: 10 })).toMatchObject({
    unread: 1,
    notifications: [{ data: { id: 'n9' } }],
  });
});

test('a client id that was kept for a user while it was away is kept for nobody once the user is erased', async () => {
  await using server = await startServer();
  const ada = await server.connect(tokenFor(ADA));
  const bob = await server.connect(tokenFor('bob'));
  const hers = new FrameClient(ada, 'drafts', 55);
  expect(await hers.join()).toMatchObject({ success: true });
  await ask(ada, 'leave-room', hers.room);
  const his = new FrameClient(bob, 'drafts', 55, 'session-of-bob'.padEnd(32, 'x'));
  expect(await his.join()).toMatchObject({ success: false, error: { code: 'foreign-client-id' } });
  await server.realtime.eraseUser(ADA);
  expect(await his.join()).toMatchObject({ success: true });
});

test('texts that retention or a deletion had taken out before are in no free page either', async () => {
  await using server = await startServer({ retention: { log: { maxRecords: 5 } } });
  const { realtime } = server;
  await realtime.documents.create('draft', (doc) => void doc.getText('t').insert(0, `${MARKER} `.repeat(5_000)));
  for (let index = 0; index < 420; index++)
    await realtime.toUser(ADA, 'system:notification', {
      id: `n${index}`,
      level: 'info',
      title: 't',
      message: MARKER,
      timestamp: when(),
    });
  await realtime.documents.delete('draft');
  await realtime.eraseUser(ADA);
  expect(await filesWith(server.dataDir, ADA, MARKER)).toEqual([]);
});

test('what was under way when a user is erased does not come back: it is erased too, or refused', async () => {
  const store = gateStore(openMemoryStore());
  await using server = await startServer({ store });
  const bob = await server.connect(tokenFor('bob'), { auth: { autoJoin: false } });
  await ask(bob, 'join-room', 'chat:s');
  const ada = await server.connect(token);
  await ask(ada, 'chat:message', { sessionId: 's', content: 'first' });
  const release = store.hold('append');
  ada.emit('chat:message', { sessionId: 's', content: 'on its way to the disk' });
  await vi.waitFor(() => expect(store.held('append')).toBe(1));
  const erasing = server.realtime.eraseUser(ADA);
  // It cannot come in meanwhile, and nobody can write to it.
  await expect(server.connect(token)).rejects.toMatchObject({ data: { code: 'access-denied' } });
  await expect(
    server.realtime.toUser(ADA, 'system:notification', { id: 'n', level: 'info', title: 't', message: 'm', timestamp: when() }),
  ).rejects.toMatchObject({ code: 'access-denied' });
  release();
  expect(await erasing).toMatchObject({ records: 2 });
  const { messages } = await ask(bob, 'chat:history', { sessionId: 's', limit: 10 });
  expect(messages).toEqual([]);
  expect(await ask(bob, 'chat:message', { sessionId: 's', content: 'x' })).toMatchObject({ meta: { seq: 3 } });
  await (await server.connect(token)).emitWithAck('room:members', 'chat:s');
});

test('what the backend says in the name of a user who is being erased is refused: it would come behind the erasure', async () => {
  const store = gateStore(openMemoryStore());
  await using server = await startServer({ store, events: [note, noteCount] });
  const release = store.hold('eraseUser', 'answer');
  const erasing = server.realtime.eraseUser(ADA);
  await vi.waitFor(() => expect(store.held('eraseUser')).toBe(1));
  const refused = expect.objectContaining({ code: 'access-denied' });
  await expect(server.realtime.toRoom('note:a', 'note:added', { userId: ADA, text: MARKER })).rejects.toEqual(refused);
  await expect(server.realtime.toRoom('note:a', 'note:count', { userId: ADA, count: 1 })).rejects.toEqual(refused);
  await server.realtime.toRoom('note:a', 'note:added', { userId: 'bob', text: 'goes on' });
  release();
  await erasing;
  await server.realtime.toRoom('note:a', 'note:added', { userId: ADA, text: 'a new user' });
  expect(await store.read(parseRoomName('note:a'), { limit: 9 })).toHaveLength(2);
});

test('a value of the user that waits for another commit is not written behind the erasure', async () => {
  const store = gateStore(openMemoryStore());
  await using server = await startServer({ store, events: [note, noteCount] });
  const { realtime } = server;
  await realtime.toRoom('note:a', 'note:added', { userId: 'bob', text: 'x' });
  const release = store.hold('append', 'answer');
  await realtime.toRoom('note:a', 'note:count', { userId: 'bob', count: 1 });
  await vi.waitFor(() => expect(store.held('append')).toBe(1));
  await realtime.toRoom('note:a', 'note:count', { userId: ADA, count: 1 });
  const erasing = realtime.eraseUser(ADA);
  release();
  await erasing;
  await realtime.toRoom('note:a', 'note:added', { userId: 'bob', text: 'y' });
  expect((await store.open(parseRoomName('note:a'))).states.map(({ key }) => key)).toEqual(['bob']);
});

test('what a join had read from the disk before a user was erased is not kept for who joins afterwards', async () => {
  const store = gateStore(openMemoryStore());
  await using server = await startServer({ store });
  const [bob, ada] = [await server.connect(tokenFor('bob')), await server.connect(token)];
  await ask(ada, 'chat:message', { sessionId: 's', content: MARKER });
  await ask(bob, 'chat:message', { sessionId: 's', content: 'goes on' });
  // From here on the room's log is on the disk alone.
  await server.realtime.eraseUser('nobody');
  const release = store.hold('read', 'answer');
  await ask(bob, 'join-room', 'chat:s');
  await vi.waitFor(() => expect(store.held('read')).toBe(1));
  expect(await server.realtime.eraseUser(ADA)).toMatchObject({ records: 1 });
  release();
  await next(bob, 'chat:message', ({ content }: { content: string }) => content === 'goes on');
  const carol = await server.connect(tokenFor('carol'));
  const heard: string[] = [];
  carol.on('chat:message', ({ content }) => void heard.push(content));
  await ask(carol, 'join-room', 'chat:s');
  await vi.waitFor(() => expect(heard.at(-1)).toBe('goes on'));
  expect(heard).toEqual(['goes on']);
});

test('where the store gets as far as the rows and then fails, memory hands out nothing of them, and a second time is all it takes', async () => {
  const store = gateStore(openMemoryStore());
  await using server = await startServer({ store });
  const bob = await server.connect(tokenFor('bob'), { auth: { autoJoin: false } });
  const { epoch } = await ask(bob, 'join-room', 'chat:s');
  const ada = await server.connect(token);
  await ask(ada, 'chat:message', { sessionId: 's', content: 'first' });
  await ask(bob, 'chat:message', { sessionId: 's', content: 'second' });
  store.fail('eraseUser', 'after', new AshlarError('storage-full'));
  await expect(server.realtime.eraseUser(ADA)).rejects.toMatchObject({ code: 'storage-full' });
  const heard: string[] = [];
  bob.on('chat:message', ({ content }) => void heard.push(content));
  expect(await ask(bob, 'join-room', 'chat:s', { epoch, seq: 0 })).toMatchObject({ recovered: true });
  await vi.waitFor(() => expect(heard).toEqual(['second']));
  expect(await server.realtime.eraseUser(ADA)).toMatchObject({ records: 0 });
});

test('ashlar erase does the same where no server runs, says what it did, and refuses a folder in use', async () => {
  await using server = await startServer({ events: auditEvents });
  await liveALittle(server);
  const busy = await runCli(['erase', ADA, '-d', server.dataDir]);
  expect(busy).toMatchObject({ code: 1, out: '', err: expect.stringContaining('is in use') });
  await server.stop();
  const done = await runCli(['erase', ADA, '-d', server.dataDir]);
  expect(done).toMatchObject({ code: 0, err: '' });
  expect(done.out).toBe(
    `Erased ${ADA}: 44 events, 1 room of its own, 1 document update without an author now, 1 Yjs client id, 1 writing session, 2 grants, 1 idempotency key, in 1 document.\n`,
  );
  expect(await filesWith(server.dataDir, ADA, MARKER, NAME)).toEqual([]);
  expect(await runCli(['check', '-d', server.dataDir])).toMatchObject({ code: 0 });
  const copies = ['replaced-2026-01-01T00-00-00.000Z', 'schema-3-backup.db', 'schema-4-backup.db.damaged'];
  for (const name of [...copies, 'backup-of-mine.db']) await writeFile(join(server.dataDir, name), '');
  expect((await runCli(['erase', ADA, '-d', server.dataDir])).out).toBe(
    `Nothing of ${ADA} is stored.\nOlder copies still hold everything: ${copies.map((name) => join(server.dataDir, name)).join(', ')}\n`,
  );
  expect(await runCli(['erase', ADA, '-d', join(server.dataDir, 'nowhere')])).toMatchObject({ code: 1, out: '' });
});
