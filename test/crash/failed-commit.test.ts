import { expect, test, vi } from 'vitest';
import { openMemoryStore } from '../../server/testing/memory-store.ts';
import { AshlarError } from '../../shared/errors.ts';
import { auditEvents } from '../support/audit-events.ts';
import { DocumentTyper } from '../support/document-typer.ts';
import { EventReplica } from '../support/event-replica.ts';
import { FrameReplica } from '../support/frame-replica.ts';
import { gateStore } from '../support/gated-store.ts';
import { ask, startServer, tokenFor } from '../support/start-server.ts';

const ROOM = 'audit:main';
const failure = new AshlarError('storage-unavailable', { detail: 'a failure made by the test' });

for (const [how, when] of [
  ['was not stored', 'before'],
  ['was stored all the same', 'after'],
] as const) {
  test(`[1] a commit that failed is no success: an event of it that ${how} is neither sent nor acked, and its repeat counts once`, async () => {
    const store = gateStore(openMemoryStore());
    await using server = await startServer({ events: auditEvents, store });
    await using bob = new EventReplica(tokenFor('bob'), ROOM, 'audit:entry');
    await bob.connect(server.url);
    await bob.join();
    const ada = await server.connect(tokenFor('ada'));
    expect(await ask(ada, 'audit:entry', { entry: 0 }, { room: ROOM, id: 'a' })).toMatchObject({
      success: true,
      meta: { seq: 1 },
    });
    await bob.reached(1);
    store.fail('append', when, failure);
    const reopening = store.hold('open');
    const refused = await ask(ada, 'audit:entry', { entry: 1 }, { room: ROOM, id: 'b' });
    expect(refused).toMatchObject({ success: false, error: { code: 'storage-unavailable' } });
    // Until the log was read again nothing is taken, and nothing of the failed commit is seen.
    await vi.waitFor(() => expect(store.held('open')).toBe(1));
    expect(await ask(ada, 'audit:entry', { entry: 2 }, { room: ROOM, id: 'c' })).toMatchObject({
      success: false,
      error: { code: 'storage-unavailable', retryAfterMs: expect.any(Number) },
    });
    await bob.flushed();
    expect(bob.payloads).toEqual([{ entry: 0 }]);
    reopening();
    await vi.waitFor(async () => {
      const repeated = await ask(ada, 'audit:entry', { entry: 1 }, { room: ROOM, id: 'b' });
      expect(repeated).toMatchObject({ success: true, data: { entry: 1 }, meta: { seq: 2 } });
    });
    expect(await ask(ada, 'audit:entry', { entry: 2 }, { room: ROOM, id: 'c' })).toMatchObject({
      success: true,
      meta: { seq: 3 },
    });
    await bob.reached(3);
    expect(bob.payloads).toEqual([{ entry: 0 }, { entry: 1 }, { entry: 2 }]);
  });

  test(`[1] a commit that failed is no success: an update of it that ${how} is refused, and its repeat is in the log once`, async () => {
    const store = gateStore(openMemoryStore());
    await using server = await startServer({ store });
    await using ada = await DocumentTyper.open(server.url, tokenFor('ada'), 'minutes', 1);
    await using bob = await FrameReplica.open(server.url, tokenFor('bob'), 'minutes', 2);
    await ada.type(2);
    await bob.reached(2);
    store.fail('append', when, failure);
    const reopening = store.hold('open');
    const typed = ada.type(1);
    expect(await ada.replica.client.frame('refused')).toMatchObject({ counter: 3, code: 'storage-unavailable' });
    await vi.waitFor(() => expect(store.held('open')).toBe(1));
    expect(ada.saved).toBe(2);
    expect(bob.text).toHaveLength(2);
    reopening();
    // Again from the refused one on, as the protocol asks for, as often as it takes.
    await vi.waitFor(async () => {
      const refusals = ada.replica.client.received.length;
      ada.repeat(3);
      await ask(ada.replica.client.socket, 'room:members', 'doc:minutes');
      expect(ada.replica.client.received.slice(refusals).filter(({ type }) => type === 'refused')).toEqual([]);
    });
    await typed;
    await ada.type(3);
    await bob.reached(6);
    expect(bob.seqs).toEqual([1, 2, 3, 4, 5, 6]);
    expect(bob.text).toBe(ada.text);
    await using fresh = await FrameReplica.open(server.url, tokenFor('cleo'), 'minutes', 3);
    expect([fresh.text, fresh.seq]).toEqual([ada.text, 6]);
  });
}
