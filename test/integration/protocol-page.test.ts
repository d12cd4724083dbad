import { readdirSync, readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { Guard } from '../../server/guard/guard.ts';
import { CATALOG } from '../../shared/catalog.ts';
import { conversation, plain, tableOf } from '../support/protocol-page.ts';
import { startServer, tokenFor } from '../support/start-server.ts';

const SERVER = new URL('../../server/', import.meta.url);

test('the page lists every message that a client may send, with the access that it needs', async () => {
  const registered = vi.spyOn(Guard.prototype, 'handle');
  await using _server = await startServer();
  const rules = registered.mock.calls.map(([rule]) => rule);
  registered.mockRestore();
  const backendOnly = new Set(
    CATALOG.filter((event) => !(event.sentBy as readonly string[]).includes('client')).map((event) => event.name as string),
  );
  const known = rules.filter((rule) => !backendOnly.has(rule.name)).map((rule) => [rule.name, rule.needs]);
  expect(known.length).toBeGreaterThan(10);
  // In one's own room every user may read: the page need not say so.
  const listed = tableOf('message', 'arguments').map(([name, , , needs]) => [plain(name), plain(needs)]);
  const needed = known.map(([name, needs]) => [name, needs === 'nothing' || name?.startsWith('notification:') ? '–' : needs]);
  expect(listed.sort()).toEqual(needed.sort());
});

test('the page lists every event that the server sends beside the catalog’s', () => {
  const sent = new Set<string>();
  for (const file of readdirSync(SERVER, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const source = readFileSync(new URL(file, SERVER), 'utf8');
    const names = source.matchAll(/(?:\.tell\(|encodeDomainEvent\(|encodeEvent\(\[)\s*([\w.]+|'[^']*')/g);
    for (const [, name = ''] of names) {
      if (name.startsWith("'")) sent.add(name.slice(1, -1));
      else if (name === 'NOTIFICATION_READ') sent.add('notification:read');
      // Passed through by name: the definitions of these, and declarations of the functions themselves.
      else expect(['name', 'event', 'state.event', 'record.kind', 'definition.name'], file).toContain(name);
    }
  }
  const listed = tableOf('event', 'arguments').map(([name]) => plain(name));
  expect([...sent].sort()).toEqual(listed.sort());
});

test('the page’s conversation can be had, line by line', async () => {
  await using server = await startServer();
  const token = tokenFor('ada', { name: 'Ada', color: '#aa3355', access: { 'chat:*': 'write', 'doc:*': 'write' } });
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  const received: string[] = [];
  let wake = () => {};
  socket.on('message', (raw: Buffer, binary: boolean) => {
    const line = binary ? toHex(raw) : raw.toString();
    if (line === '2' || line.startsWith('42["presence:update"')) return;
    received.push(line);
    wake();
  });
  const lines = conversation();
  expect(lines.length).toBeGreaterThan(20);
  for (const line of lines) {
    const text = line.slice(2);
    if (line.startsWith('→')) {
      socket.send(isHex(text) ? fromHex(text) : text.replace('TOKEN', token));
    } else {
      while (received.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      expect(received.shift()).toMatch(new RegExp(`^${text.split('…').map(literal).join('.+')}$`));
    }
  }
  socket.close();
  expect(received).toEqual([]);
});

const isHex = (text: string) => /^[0-9a-f]{2}( [0-9a-f]{2})+$/.test(text);
const fromHex = (text: string) => Uint8Array.from(text.split(' '), (byte) => Number.parseInt(byte, 16));
const toHex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
const literal = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
