import { EventEmitter } from 'node:events';
import type { Server } from 'socket.io';
import { expect, test } from 'vitest';
import { closeConnections } from '../../server/sockets/close-connections.ts';
import { createManualClock } from '../support/manual-clock.ts';

/** Connections of an engine; each closes when the test has read what waits for it. */
function connections(count: number) {
  const all = Array.from({ length: count }, () => Object.assign(new EventEmitter(), { closing: false, close() {} }));
  for (const connection of all) {
    connection.close = () => {
      connection.closing = true;
    };
  }
  return { all, io: { engine: { clients: { ...all } } } as unknown as Server };
}

test('who stops waits for all that read, and for nobody longer than it said; no timer is left', async () => {
  for (const reading of [0, 1, 2]) {
    const clock = createManualClock();
    const { all, io } = connections(2);
    let isDone = false;
    const done = closeConnections(io, clock, 1_000).then(() => {
      isDone = true;
    });
    expect(all.map(({ closing }) => closing)).toEqual([true, true]);
    for (const connection of all.slice(0, reading)) connection.emit('close');
    await clock.advanceAsync(999);
    expect(isDone).toBe(reading === 2);
    if (reading === 2) expect(clock.armed).toBe(0);
    await clock.advanceAsync(1);
    await done;
    expect(clock.armed).toBe(0);
  }
});
