import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { auditEvents } from '../support/audit-events.ts';
import { FrameClient } from '../support/frame-client.ts';
import { LogLines } from '../support/log-lines.ts';
import { ask, next, startServer, type TestServer, tokenFor } from '../support/start-server.ts';

const operator = tokenFor('operator', { permissions: ['stats'], access: {} });

async function scrape(server: TestServer<never[]> | TestServer<[]>, token: string = operator): Promise<(name: string) => number> {
  const response = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toContain('text/plain');
  const text = await response.text();
  return (name) => {
    const line = text.split('\n').find((each) => each.startsWith(`${name} `));
    return Number(line?.slice(name.length + 1) ?? Number.NaN);
  };
}

test('GET /metrics counts connections, rooms, refusals by code, commits and compactions', async () => {
  const log = new LogLines('debug');
  await using server = await startServer({ metrics: true, compactAfterRecords: 3, logger: log.logger });
  const before = await scrape(server);
  expect([before('ashlar_connections'), before('ashlar_commit_seconds_count')]).toEqual([0, 0]);
  const ada = await server.connect(tokenFor('ada'), { auth: { autoJoin: false } });
  await server.connect(tokenFor('ada'), { auth: { autoJoin: false } });
  const document = new FrameClient(ada, 'plan', 5);
  await document.join();
  document.sync();
  await document.frame('state');
  const doc = new Y.Doc();
  doc.clientID = 5;
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  for (const letter of 'abc') doc.getText('t').insert(0, letter);
  for (const [index, update] of updates.entries()) document.update(index + 1, update);
  document.update(9, updates[0] as Uint8Array);
  await document.frame('refused');
  await log.line('document:compacted');
  expect(await ask(ada, 'join-room', 'user:bob')).toMatchObject({ success: false });
  await expect(server.connect('nonsense')).rejects.toThrow();
  const now = await scrape(server);
  expect({
    connections: now('ashlar_connections'),
    users: now('ashlar_users'),
    members: now('ashlar_members'),
    records: now('ashlar_committed_records_total'),
    compacted: now('ashlar_compactions_total{result="compacted"}'),
    socket: now('ashlar_refusals_total{code="access-denied",at="socket"}'),
    document: now('ashlar_refusals_total{code="counter-gap",at="document"}'),
    handshake: now('ashlar_refusals_total{code="invalid-token",at="handshake"}'),
    failed: now('ashlar_failed_commits_total'),
  }).toEqual({
    connections: 2,
    users: 1,
    members: 1,
    records: 3,
    compacted: 1,
    socket: 1,
    document: 1,
    handshake: 1,
    failed: 0,
  });
  expect(now('ashlar_commit_seconds_count')).toBeGreaterThan(0);
  expect(now('ashlar_commit_seconds_sum')).toBeGreaterThan(0);
  expect(now('ashlar_commit_seconds_sum')).toBeLessThan(10);
  await server.realtime.documents.transact('plan', (edited) => edited.getText('t').insert(0, 'd'));
  (await server.realtime.documents.read('plan')).destroy();
  expect((await scrape(server))('ashlar_document_work_seconds_count')).toBe(2);
  expect(now('ashlar_event_loop_lag_max_seconds')).toBeGreaterThanOrEqual(0);
});

test('a reader that stands still shows: bytes that wait, ephemeral events dropped, states conflated, and then a catch-up', async () => {
  await using server = await startServer({ metrics: true, events: [...auditEvents], limits: { queueBytes: 100_000 } });
  const text = async () => {
    const all = await server.realtime.metrics();
    return (name: string) => Number(new RegExp(`^ashlar_${name} (.*)$`, 'm').exec(all)?.[1]);
  };
  const slow = await server.connect(tokenFor('slow'), { auth: { autoJoin: false } });
  await server.connect(tokenFor('fast'), { auth: { autoJoin: false } });
  await ask(slow, 'join-room', 'audit:1');
  const joined = (await text())('catch_ups_total');
  const wire = (slow.io.engine as unknown as { transport: { ws: { _socket: { pause(): void; resume(): void } } } }).transport.ws
    ._socket;
  wire.pause();
  const padding = 'x'.repeat(50_000);
  for (let entry = 0; entry < 400 && (await text())('ephemeral_dropped_total') === 0; entry++) {
    await server.realtime.toRoom('audit:1', 'audit:entry', { entry, padding });
    await server.realtime.toRoom('audit:1', 'audit:pulse', { pulse: entry, padding });
  }
  await server.realtime.toRoom('audit:1', 'audit:level', { key: 'a', level: 1, padding });
  const during = await text();
  expect(during('ephemeral_dropped_total')).toBeGreaterThan(0);
  expect(during('states_conflated_total')).toBe(1);
  expect(during('queued_bytes')).toBeGreaterThan(50_000);
  expect(during('queued_bytes_most')).toBe(during('queued_bytes'));
  await server.realtime.toRoom('audit:1', 'audit:entry', { entry: -1, padding });
  const last = next(slow, 'audit:entry', (({ entry }: { entry: number }) => entry === -1) as never);
  wire.resume();
  await last;
  expect((await text())('catch_ups_total')).toBeGreaterThan(joined);
});

test('metrics are for those who may read stats, and an app’s own /metrics stays its own', async () => {
  await using server = await startServer({ metrics: true });
  expect((await fetch(`${server.url}/metrics`)).status).toBe(401);
  const other = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${tokenFor('ada')}` } });
  expect(other.status).toBe(403);
  await using beside = await startServer();
  expect(await (await fetch(`${beside.url}/metrics`)).text()).toBe('the app');
  expect(await beside.realtime.metrics()).toContain('ashlar_connections 0');
});
