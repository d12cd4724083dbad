import { EventEmitter } from 'node:events';
import type { Socket } from 'socket.io';
import { expect, test } from 'vitest';
import { sendQueueOf } from '../../server/sockets/send-queue.ts';
import { writeTogether } from '../../server/sockets/write-together.ts';

/** engine.io's side of a connection, as far as a queue sees it; the test decides when the kernel takes something. */
class FakeConnection extends EventEmitter {
  readyState = 'open';
  writeBuffer: { data: string; options: object }[] = [];
  readonly transport = Object.assign(new EventEmitter(), { name: 'websocket', writable: true, socket: { bufferedAmount: 0 } });

  write(bytes: number): void {
    const packet = { data: 'x'.repeat(bytes), options: {} };
    this.emit('packetCreate', packet);
    this.writeBuffer.push(packet);
    this.flush();
  }

  flush(): void {
    if (!this.transport.writable || this.writeBuffer.length === 0) return;
    this.emit('flush', this.writeBuffer);
    for (const { data } of this.writeBuffer) this.transport.socket.bufferedAmount += data.length;
    this.writeBuffer = [];
    this.transport.writable = false;
  }

  /** The kernel takes all that the transport has. */
  take(): void {
    this.transport.socket.bufferedAmount = 0;
    this.transport.emit('drain');
    this.transport.writable = true;
    this.flush();
  }

  asConnection(): Socket['conn'] {
    return this as unknown as Socket['conn'];
  }
}

test('bytes count from the write until the kernel has them, though the engine calls itself drained long before', () => {
  const conn = new FakeConnection();
  const queue = sendQueueOf(conn.asConnection());
  expect(queue.bytes).toBe(0);
  conn.write(10_000);
  conn.write(20_000);
  conn.emit('drain');
  expect(queue.bytes).toBeGreaterThanOrEqual(30_000);
  conn.take(); // the first; the second is on its way now
  expect(queue.bytes).toBeGreaterThanOrEqual(20_000);
  expect(queue.bytes).toBeLessThan(21_000);
  conn.take();
  expect(queue.bytes).toBe(0);
});

test('what was written before anybody counted is counted', () => {
  const conn = new FakeConnection();
  conn.write(10_000);
  conn.write(20_000);
  const queue = sendQueueOf(conn.asConnection());
  expect(queue.bytes).toBeGreaterThanOrEqual(30_000);
  conn.take();
  conn.take();
  expect(queue.bytes).toBe(0);
});

test('those who wait are called in order, each only while there is room', () => {
  const conn = new FakeConnection();
  const queue = sendQueueOf(conn.asConnection());
  const calls: string[] = [];
  conn.write(10_000);
  for (const name of ['first', 'second', 'third']) {
    queue.whenAtMost(5_000, () => {
      calls.push(name);
      conn.write(4_000);
    });
  }
  conn.take();
  expect(calls).toEqual(['first', 'second']);
  conn.take();
  expect(calls).toEqual(['first', 'second', 'third']);
});

test('one that asks again from within waits for the next event, and never for itself', async () => {
  const conn = new FakeConnection();
  const queue = sendQueueOf(conn.asConnection());
  let calls = 0;
  const again = (): void => {
    calls++;
    if (calls < 10) queue.whenAtMost(5_000, again);
  };
  queue.whenAtMost(5_000, again);
  expect(calls).toBe(0);
  conn.write(1);
  conn.take();
  expect(calls).toBe(1);
});

test('a closed connection holds nothing and calls nobody', async () => {
  const conn = new FakeConnection();
  const queue = sendQueueOf(conn.asConnection());
  let calls = 0;
  const count = (): void => void calls++;
  conn.write(10_000);
  queue.whenAtMost(5_000, count);
  conn.readyState = 'closed';
  conn.emit('close');
  queue.whenAtMost(5_000, count);
  conn.take();
  await Promise.resolve();
  expect(calls).toBe(0);
  expect(queue.bytes).toBe(0);
});

test('a connection has one queue, however often it is asked for', () => {
  const conn = new FakeConnection();
  expect(sendQueueOf(conn.asConnection())).toBe(sendQueueOf(conn.asConnection()));
  expect(conn.listenerCount('packetCreate')).toBe(1);
});

test('frames go past the engine only where nothing is before them, and wake who waits once the kernel has them', () => {
  const conn = new FakeConnection();
  const sent: { frames: readonly Uint8Array[]; done: () => void }[] = [];
  const socket = {
    bufferedAmount: 0,
    readyState: 1,
    _sender: { sendFrame: (frames: Uint8Array[], done: () => void) => sent.push({ frames, done }) },
  };
  conn.transport.socket = socket;
  const queue = sendQueueOf(conn.asConnection());
  const frame = new Uint8Array(100);

  conn.write(1_000);
  expect(queue.writeThrough(frame)).toBe(false);
  conn.take();
  expect(queue.writeThrough(frame)).toBe(true);
  expect(sent.map(({ frames }) => frames)).toEqual([[frame]]);

  socket.bufferedAmount = 100;
  expect(queue.bytes).toBeGreaterThanOrEqual(100);
  expect(queue.writeThrough(frame)).toBe(false);
  let woken = false;
  queue.whenAtMost(50, () => {
    woken = true;
  });
  socket.bufferedAmount = 0;
  sent[0]?.done();
  expect(woken).toBe(true);
  expect(queue.bytes).toBe(0);

  conn.readyState = 'closing';
  expect(queue.writeThrough(frame)).toBe(false);
});

test('what waits of a room is taken back, but not an attachment whose packet has left with a poll', () => {
  const waiting = (...buffer: { data: unknown; options: object }[]) => {
    const conn = new FakeConnection();
    const queue = sendQueueOf(conn.asConnection());
    conn.writeBuffer = buffer as FakeConnection['writeBuffer'];
    return { conn, queue };
  };
  const header = { data: '51-["document"]', options: { room: 'doc:a' } };
  const attachment = { data: new Uint8Array(3), options: { room: 'doc:a' } };
  const other = { data: '2["x"]', options: { room: 'chat:b' } };
  const whole = waiting(header, attachment, other);
  expect(whole.queue.withdraw('doc:a')).toBe(true);
  expect(whole.conn.writeBuffer).toEqual([other]);
  const parted = waiting(attachment, other);
  expect(parted.queue.withdraw('doc:a')).toBe(false);
  expect(waiting(attachment, other).queue.withdraw('chat:b')).toBe(true);
});

test('what was taken back counts no longer', () => {
  const conn = new FakeConnection();
  const queue = sendQueueOf(conn.asConnection());
  conn.write(1_000);
  conn.write(20_000);
  queue.asContentOf('doc:a', () => conn.write(10_000));
  const before = queue.bytes;
  queue.withdraw('doc:a');
  expect(before - queue.bytes).toBeGreaterThanOrEqual(10_000);
  conn.take();
  conn.take();
  expect(queue.bytes).toBe(0);
});

test('what is written after an answer that could not be written is nobody’s content', () => {
  const conn = new FakeConnection();
  const queue = sendQueueOf(conn.asConnection());
  conn.write(1_000);
  expect(() =>
    queue.asContentOf('doc:a', () => {
      throw new Error('JSON cannot hold it');
    }),
  ).toThrow('JSON cannot hold it');
  conn.write(10_000);
  queue.withdraw('doc:a');
  expect(conn.writeBuffer).toHaveLength(1);
});

/** A connection whose writes past the engine the test sees. */
function openConnection() {
  const conn = new FakeConnection();
  const writes: Uint8Array[] = [];
  const socket = Object.assign(conn.transport.socket, {
    readyState: 1,
    _sender: {
      sendFrame: ([frames]: Uint8Array[], done: () => void) => {
        writes.push(frames as Uint8Array);
        done();
      },
    },
  });
  return {
    conn,
    queue: sendQueueOf(conn.asConnection()),
    socket,
    writes,
    texts: () => writes.map((bytes) => Buffer.from(bytes).toString()),
  };
}

const frames = (text: string): Uint8Array => Buffer.from(text);

test('what is written together leaves in one write per connection, in order, and who gets the same gets the same bytes', () => {
  const [ada, ben, cem] = [openConnection(), openConnection(), openConnection()];
  const [one, two] = [frames('one '), frames('two ')];
  writeTogether(() => {
    for (const frame of [one, two]) for (const { queue } of [ada, ben]) expect(queue.writeThrough(frame)).toBe(true);
    // What is together within what is together is one.
    writeTogether(() => cem.queue.writeThrough(two));
    expect([...ada.writes, ...ben.writes, ...cem.writes]).toEqual([]);
    expect(ada.queue.bytes).toBe(8);
  });
  expect([ada.texts(), ben.texts(), cem.texts()]).toEqual([['one two '], ['one two '], ['two ']]);
  expect(ada.writes[0]).toBe(ben.writes[0]);
  expect(cem.writes[0]).toBe(two);
  expect(ada.queue.bytes).toBe(0);
  ada.queue.writeThrough(one);
  expect(ada.texts()).toEqual(['one two ', 'one ']);
});

test('what the engine writes meanwhile comes behind what was gathered, and so does a withdrawal', () => {
  const { conn, queue, writes, texts } = openConnection();
  let before: readonly string[] = [];
  conn.on('packetCreate', () => {
    before = texts();
  });
  writeTogether(() => {
    queue.writeThrough(frames('first '));
    conn.write(10);
    expect(before).toEqual(['first ']);
    // Behind what waits in the engine nothing is gathered.
    expect(queue.writeThrough(frames('no'))).toBe(false);
    conn.take();
    queue.writeThrough(frames('second '));
    queue.withdraw('chat:a');
    expect(texts()).toEqual(['first ', 'second ']);
    queue.writeThrough(frames('third '));
  });
  expect(texts()).toEqual(['first ', 'second ', 'third ']);
  expect(writes).toHaveLength(3);
});

test('no more than 16 kB are gathered for a connection; one that closes meanwhile, or a task that throws, takes nothing from the others', () => {
  const [ada, ben] = [openConnection(), openConnection()];
  const large = new Uint8Array(10_000);
  expect(() =>
    writeTogether(() => {
      for (const { queue } of [ada, ben]) for (let count = 0; count < 3; count++) queue.writeThrough(large);
      expect(ada.writes.map(({ length }) => length)).toEqual([20_000]);
      ada.socket.readyState = 3;
      throw new Error('the third');
    }),
  ).toThrow('the third');
  expect(ada.writes).toHaveLength(1);
  expect(ada.queue.bytes).toBe(0);
  expect(ben.writes.map(({ length }) => length)).toEqual([20_000, 10_000]);
  ben.queue.writeThrough(large);
  expect(ben.writes).toHaveLength(3);
});
