import { expect, test } from 'vitest';
import { UpdateSender } from '../../client/documents/update-sender.ts';
import { SimulatedTime } from '../support/document-simulation.ts';

/** A sender of edits that nobody looks into, and the counters that it has sent. */
function createSender() {
  const time = new SimulatedTime();
  const sent: number[] = [];
  const env = { now: () => time.now, random: () => 0.5, after: time.after.bind(time) };
  const sender: UpdateSender = new UpdateSender(
    { env, send: (frame) => void ('counter' in frame && sent.push(frame.counter)) },
    () => sender.flush(),
  );
  sender.start(0);
  const edit = (bytes = 10) => {
    sender.outbox.add(new Uint8Array(bytes));
    sender.flush();
  };
  return { sender, time, sent, edit };
}

test('no more is under way at once than 32 updates or a megabyte, and each that is taken makes room', () => {
  const small = createSender();
  for (let index = 0; index < 32; index++) small.edit();
  small.edit();
  expect(small.sent).toHaveLength(32);
  small.sender.acknowledge(1);
  small.sender.flush();
  expect(small.sent).toHaveLength(33);

  const large = createSender();
  for (let index = 0; index < 8; index++) large.edit(250_000);
  expect(large.sent).toEqual([1, 2, 3, 4]);
  large.sender.acknowledge(1);
  large.sender.flush();
  expect(large.sent).toEqual([1, 2, 3, 4, 5]);
});

test('what a server asked to wait with waits for that server alone: the next membership begins at once', () => {
  const { sender, time, sent, edit } = createSender();
  edit();
  sender.hold(1, 'rate-limited', 30_000);
  sender.flush();
  time.advance(29_999);
  expect(sent).toEqual([1]);
  sender.stop();
  expect(time.armed).toBe(0);
  sender.start(0);
  sender.flush();
  expect(sent).toEqual([1, 1]);
});

test('what was refused goes again once the time is over, from there on, without anybody asking', () => {
  const { sender, time, sent, edit } = createSender();
  edit();
  edit();
  sender.hold(1, 'rate-limited', 1_000);
  time.advance(999);
  expect(sent).toEqual([1, 2]);
  time.advance(1_000);
  expect(sent).toEqual([1, 2, 1, 2]);
});
