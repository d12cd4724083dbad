import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { FrameClient } from '../support/frame-client.ts';
import { LogLines } from '../support/log-lines.ts';
import { ask, next, SECRET, startServer, tokenFor } from '../support/start-server.ts';

/** The lines of one name, without what pino adds to every line. */
function audited(log: LogLines, msg: string): object[] {
  return log
    .all()
    .filter((line) => line.msg === msg)
    .map(({ level, time, pid, hostname, msg: _, audit, ...fields }) => fields);
}

test('a whole flow leaves its trail: who came, joined, was refused, gave and took access; and no token or secret anywhere', async () => {
  const log = new LogLines();
  await using ashlar = await startServer({ logger: log.logger, defaultAccess: {} });
  const tokens = {
    ada: tokenFor('ada', { access: { '*': 'admin' } }),
    renewed: tokenFor('ada', { access: { '*': 'admin' }, name: 'Ada again', expiresInSeconds: 7_200 }),
    bob: tokenFor('bob', { access: { dashboard: 'read' } }),
    expired: tokenFor('eve', { expiresInSeconds: -10 }),
    forged: `${tokenFor('eve')}x`,
    short: '',
  };
  const ada = await ashlar.connect(tokens.ada);
  const bob = await ashlar.connect(tokens.bob);
  await expect(ashlar.connect(tokens.expired)).rejects.toThrow();
  await expect(ashlar.connect(tokens.forged)).rejects.toThrow();
  await expect(ashlar.connect('')).rejects.toThrow();

  expect(await ask(ada, 'join-room', 'dashboard')).toMatchObject({ success: true });
  expect(await ask(bob, 'join-room', 'doc:plan')).toMatchObject({ error: { code: 'access-denied' } });
  expect(await ask(bob, 'chat:message', { sessionId: 's', content: 'a private word' })).toMatchObject({ success: false });
  expect(await ask(ada, 'room:grant', { room: 'doc:plan', userId: 'bob', access: 'read' })).toMatchObject({ success: true });
  const reader = new FrameClient(bob, 'plan', 7, 'a-session-secret-nobody-else-knows');
  expect(await reader.join()).toMatchObject({ success: true, access: 'read' });
  reader.sync();
  const doc = new Y.Doc();
  doc.getText('t').insert(0, 'unwanted words');
  reader.update(1, Y.encodeStateAsUpdate(doc));
  await reader.frame('refused');
  await ashlar.realtime.revoke('bob', 'doc:plan');
  const { expiresAt } = await ask(ada, 'auth:renew', tokens.renewed);
  expect(await ask(ada, 'auth:renew', tokens.forged)).toMatchObject({ success: false });
  tokens.short = tokenFor('cleo', { expiresInSeconds: 2 });
  const cleo = await ashlar.connect(tokens.short);
  await next(cleo, 'disconnect');
  const http = (path: string, token: string, init: RequestInit = {}) =>
    fetch(ashlar.url + path, { ...init, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } });
  expect((await http('/api/ws/stats', tokens.bob)).status).toBe(403);
  const body = JSON.stringify({ event: 'system:status', data: { status: 'online', message: 'a private word' } });
  expect((await http('/api/events', tokens.forged, { method: 'POST', body })).status).toBe(401);
  ada.disconnect();
  await log.line('audit:leave', ({ userId, room }) => userId === 'ada' && room === 'dashboard');

  const of = (socket: { id?: string | undefined }) => socket.id as string;
  expect(audited(log, 'audit:connected')).toHaveLength(3);
  expect(audited(log, 'audit:connected')[1]).toEqual({
    userId: 'bob',
    socketId: of(bob),
    address: '127.0.0.1',
    expiresAt: expect.any(Number),
  });
  expect(audited(log, 'audit:handshake-refused')).toEqual(
    ['token-expired', 'invalid-token', 'auth-required'].map((code) => ({ address: '127.0.0.1', code })),
  );
  expect(audited(log, 'audit:join')).toContainEqual({
    userId: 'bob',
    socketId: of(bob),
    room: 'doc:plan',
    access: 'read',
  });
  expect(audited(log, 'audit:leave')).toContainEqual({ userId: 'bob', socketId: of(bob), room: 'doc:plan' });
  const refusals = audited(log, 'audit:refused').map((line) => {
    const { userId, message, room, code } = line as Record<string, string>;
    return [userId, message, room, code].join(' ');
  });
  expect(refusals).toEqual([
    'bob join-room doc:plan access-denied',
    'bob chat:message chat:s access-denied',
    'bob document doc:plan read-only',
    'ada auth:renew user:ada invalid-token',
  ]);
  expect(audited(log, 'audit:grant')).toEqual([{ by: 'ada', room: 'doc:plan', userId: 'bob', access: 'read', stored: true }]);
  expect(audited(log, 'audit:revoke')).toEqual([{ by: null, room: 'doc:plan', userId: 'bob', access: 'none', stored: true }]);
  expect(audited(log, 'audit:token-renewed')).toEqual([{ userId: 'ada', socketId: expect.any(String), expiresAt }]);
  expect(audited(log, 'audit:token-expired')).toMatchObject([{ userId: 'cleo' }]);
  expect(audited(log, 'audit:http-refused')).toEqual([
    { address: '127.0.0.1', action: 'stats', userId: 'bob', code: 'access-denied' },
    { address: '127.0.0.1', action: 'publish', code: 'invalid-token' },
  ]);

  for (const token of Object.values(tokens)) {
    for (const part of token.split('.').slice(1)) expect(log.text, 'no part of a token').not.toContain(part);
  }
  for (const secret of [SECRET, reader.session, 'a private word', 'unwanted words', 'eyJhbGci']) {
    expect(log.text).not.toContain(secret);
  }
});

test('the trail is written whatever the level of the rest of the log, and a hostile name forges no line', async () => {
  const log = new LogLines('error');
  await using ashlar = await startServer({ logger: log.logger });
  const socket = await ashlar.connect(tokenFor('ada', { name: '\n{"msg":"audit:grant"}' }));
  await ask(socket, 'join-room', 'dashboard');
  await ask(socket, '\n{"msg":"audit:grant"}', 'doc:x\n{"msg":"audit:grant"}');
  await ask(socket, 'join-room', 'x\n{"msg":"audit:grant"}');
  expect(audited(log, 'audit:join')).toContainEqual(expect.objectContaining({ userId: 'ada', room: 'dashboard' }));
  expect(audited(log, 'audit:grant')).toEqual([]);
  expect(new Set(log.all().map(({ msg }) => msg.split(':')[0]))).toEqual(new Set(['audit']));
});

test('what every client asks for by itself is no refusal worth a line: the room system, for a token that leaves it out', async () => {
  const log = new LogLines();
  await using ashlar = await startServer({ logger: log.logger });
  const socket = await ashlar.connect(tokenFor('eve', { access: { dashboard: 'read' } }));
  expect(await ask(socket, 'join-room', 'system')).toMatchObject({ success: false, error: { code: 'access-denied' } });
  expect(await ask(socket, 'join-room', 'doc:secret')).toMatchObject({ success: false });
  expect(audited(log, 'audit:refused')).toEqual([expect.objectContaining({ room: 'doc:secret' })]);
});

test('a socket that is refused again and again fills no disk: the rest is counted', async () => {
  const log = new LogLines();
  await using ashlar = await startServer({ logger: log.logger, limits: { joinsPerMinute: 100_000 } });
  const socket = await ashlar.connect(tokenFor('eve', { access: {} }));
  for (let n = 0; n < 500; n++) socket.emit('join-room', 'doc:secret', {}, () => {});
  await ask(socket, 'join-room', 'doc:secret');
  const lines = audited(log, 'audit:refused').length;
  expect(lines).toBeGreaterThanOrEqual(60);
  expect(lines).toBeLessThan(120);
});
