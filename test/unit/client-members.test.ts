import { expect, test } from 'vitest';
import type { AnswerListener, ConnectorEvents } from '../../client/connector.ts';
import { platformEnvironment } from '../../client/environment.ts';
import { Members } from '../../client/members.ts';
import { writable } from '../../client/readable.ts';
import { AshlarError } from '../../shared/errors.ts';
import type { Member } from '../../shared/user.ts';
import { SimulatedTime } from '../support/document-simulation.ts';

const member = (userId: string, status: Member['status'] = 'online'): Member => ({
  userId,
  name: userId,
  color: '#336699',
  status,
  lastSeen: 1,
});

const nobody = writable(null, () => {});

test('who came or went while the list was on its way stands in it as told last', () => {
  let part: Partial<ConnectorEvents> = {};
  const answers: AnswerListener[] = [];
  const connector = {
    attach: (attached: Partial<ConnectorEvents>) => {
      part = attached;
    },
    request: (_event: string, _args: readonly unknown[], onAnswer: AnswerListener) => answers.push(onAnswer),
  };
  const members = new Members(connector as never, {} as never, nobody, platformEnvironment(), () => {});
  const list = members.of('doc:plan');
  const stop = list.subscribe(() => {});
  part.message?.('presence:update', [{ room: 'doc:plan', users: [member('bob'), member('eve', 'offline')] }]);
  answers[0]?.(null, { room: 'doc:plan', members: [member('ada'), member('eve')], total: 2 });
  expect(list.get().map(({ userId, status }) => [userId, status])).toEqual([
    ['ada', 'online'],
    ['eve', 'offline'],
    ['bob', 'online'],
  ]);
  stop();
  expect(list.get()).toEqual([]);
});

test('an answer to an older question changes nothing: the list was asked for again since', () => {
  const answers: AnswerListener[] = [];
  const connector = {
    attach: () => {},
    request: (_event: string, _args: readonly unknown[], onAnswer: AnswerListener) => answers.push(onAnswer),
  };
  const members = new Members(connector as never, {} as never, nobody, platformEnvironment(), () => {});
  const list = members.of('doc:plan');
  const stop = list.subscribe(() => {});
  members.joined('doc:plan');
  answers[1]?.(null, { room: 'doc:plan', members: [member('ada')], total: 1 });
  answers[0]?.(null, { room: 'doc:plan', members: [member('eve')], total: 1 });
  expect(list.get().map(({ userId }) => userId)).toEqual(['ada']);
  stop();
});

test('who asks for too many lists at once asks again when told, as long as somebody looks', () => {
  const time = new SimulatedTime();
  const answers: AnswerListener[] = [];
  const connector = {
    attach: () => {},
    request: (_event: string, _args: readonly unknown[], onAnswer: AnswerListener) => answers.push(onAnswer),
  };
  const env = { ...platformEnvironment(), after: time.after.bind(time) };
  const members = new Members(connector as never, {} as never, nobody, env, () => {});
  const list = members.of('doc:plan');
  const stop = list.subscribe(() => {});
  const refuse = () => answers.at(-1)?.(new AshlarError('rate-limited', { retryAfterMs: 500 }), undefined);
  refuse();
  time.advance(499);
  expect(answers).toHaveLength(1);
  time.advance(1);
  answers[1]?.(null, { room: 'doc:plan', members: [member('ada')], total: 1 });
  expect(list.get().map(({ userId }) => userId)).toEqual(['ada']);
  // One that was asked for since brings the list.
  members.joined('doc:plan');
  refuse();
  members.joined('doc:plan');
  time.advance(500);
  expect(answers).toHaveLength(4);
  refuse();
  stop();
  time.advance(500);
  expect(answers).toHaveLength(4);
});
