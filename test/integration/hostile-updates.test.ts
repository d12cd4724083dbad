import { expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { connectTo } from '../support/connect-to.ts';
import { FrameClient } from '../support/frame-client.ts';
import { FrameReplica } from '../support/frame-replica.ts';
import { HOSTILE_UPDATES, SENDER, SENDER_UPDATE, VICTIM, VICTIM_UPDATE } from '../support/hostile-admissions.ts';
import { BRICK, memoryBomb } from '../support/hostile-updates.ts';
import { ask, startServer, tokenFor } from '../support/start-server.ts';

test('[5] each hostile update over the wire is refused, a gap or without effect, and its document opens for whoever comes', {
  timeout: 60_000,
}, async () => {
  await using server = await startServer();
  const victim = await connectTo(server.url, tokenFor('victim'));
  const sender = await connectTo(server.url, tokenFor('sender'));
  const texts = new Map<string, string>();
  for (const [index, { name, update, expected, text = 'victimmine' }] of HOSTILE_UPDATES.entries()) {
    const document = `hostile-${index}`;
    const writer = new FrameClient(victim, document, VICTIM);
    await writer.join();
    writer.sync();
    writer.update(1, VICTIM_UPDATE);
    await writer.frame('committed');
    const attacker = new FrameClient(sender, document, SENDER);
    await attacker.join();
    attacker.sync();
    attacker.update(1, SENDER_UPDATE);
    await attacker.frame('committed', ({ entries }) => entries.some((entry) => 'counter' in entry));
    attacker.update(2, update);
    // Whatever the answer is, it is here before this one.
    await vi.waitFor(() => expect(verdictOf(attacker, 2)).toBeDefined());
    const code = 'code' in expected ? expected.code : undefined;
    expect({ name, ...verdictOf(attacker, 2) }).toEqual({
      name,
      verdict: expected.verdict,
      ...(code === undefined ? {} : { code }),
    });
    texts.set(document, text);
    await using fresh = await FrameReplica.open(server.url, tokenFor('cleo'), document, 77);
    expect({ name, text: fresh.text }).toEqual({ name, text });
    // Both can go on.
    const more = insertion(VICTIM, VICTIM_UPDATE, '!');
    writer.update(2, more);
    await writer.frame('committed', ({ entries }) => entries.some((entry) => 'counter' in entry && entry.counter === 2));
    for (const client of [writer, attacker]) await ask(client.socket, 'leave-room', client.room);
  }
  for (const socket of [victim, sender]) socket.disconnect();
  await server.stop();
  await using restarted = await startServer({ dataDir: server.dataDir });
  for (const [document, text] of texts) {
    const stored = (await restarted.realtime.documents.read(document)).getText('text').toString();
    expect([document, stored.replace('!', '')]).toEqual([document, text]);
  }
});

test('[5] a brick is refused, a memory bomb costs what its bytes do, and their documents open at once for whoever comes', async () => {
  await using server = await startServer({ compactAfterRecords: 2 });
  const honest = await connectTo(server.url, tokenFor('victim'));
  const hostile = await connectTo(server.url, tokenFor('sender'));
  const text = textOf(1, 'x'.repeat(8_000));
  for (const [document, first, second, attackerId, verdict] of [
    ['memory', text, memoryBomb(100_000), 3, { verdict: 'admitted' }],
    ['brick', text, BRICK, 9, { verdict: 'refused', code: 'invalid-update' }],
  ] as const) {
    const writer = new FrameClient(honest, document, 1);
    await writer.join();
    writer.sync();
    writer.update(1, first);
    await writer.frame('committed');
    const attacker = new FrameClient(hostile, document, attackerId);
    await attacker.join();
    attacker.sync();
    attacker.update(1, second);
    await vi.waitFor(() => expect(verdictOf(attacker, 1)).toBeDefined());
    expect({ document, ...verdictOf(attacker, 1) }).toEqual({ document, ...verdict });
    const started = performance.now();
    await using fresh = await FrameReplica.open(server.url, tokenFor('cleo'), document, 77);
    expect(fresh.text).toBe('x'.repeat(8_000));
    expect(performance.now() - started).toBeLessThan(5_000);
  }
  for (const socket of [honest, hostile]) socket.disconnect();
});

/** What became of an update, by the frames that came. */
function verdictOf(client: FrameClient, counter: number): { verdict: string; code?: string } | undefined {
  for (const frame of client.received) {
    if (frame.type === 'refused' && frame.counter === counter) return { verdict: 'refused', code: frame.code };
    if (frame.type === 'gap' && frame.counter === counter) return { verdict: 'gap' };
    if (frame.type === 'saved' && frame.counter === counter) return { verdict: 'nothing' };
    if (frame.type !== 'committed') continue;
    if (frame.entries.some((entry) => 'counter' in entry && entry.counter === counter)) return { verdict: 'admitted' };
  }
  return undefined;
}

/** What a client that has `state` sends when it inserts at the beginning. */
function insertion(clientId: number, state: Uint8Array, text: string): Uint8Array {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, state);
  doc.clientID = clientId;
  const vector = Y.encodeStateVector(doc);
  doc.getText('text').insert(0, text);
  return Y.encodeStateAsUpdate(doc, vector);
}

function textOf(clientId: number, text: string): Uint8Array {
  return insertion(clientId, new Uint8Array([0, 0]), text);
}
