import { expect, test } from 'vitest';
import { Guard } from '../../server/guard/guard.ts';
import type { Membership } from '../../server/rooms/membership.ts';
import type { Presence } from '../../server/rooms/presence.ts';
import { registerRoomMessages } from '../../server/rooms/room-messages.ts';
import type { Access } from '../../shared/access.ts';
import type { MembersAnswer } from '../../shared/messages.ts';
import type { Member } from '../../shared/user.ts';
import { fakeConnection } from '../support/fake-connection.ts';
import { createManualClock } from '../support/manual-clock.ts';

test('of a room with more than a thousand members an answer lists the first thousand, and says how many there are', async () => {
  const clock = createManualClock();
  const guard = new Guard({ clock, log: { warn: () => {}, error: () => {} } });
  const members = Array.from(
    { length: 1_234 },
    (_, index): Member => ({ userId: `user${index}`, name: 'x', color: '#336699', status: 'online', lastSeen: 0 }),
  );
  const presence: Pick<Presence, 'members'> = { members: () => members };
  registerRoomMessages({
    guard,
    membership: {} as Membership,
    presence: presence as Presence,
    setAccess: () => Promise.reject(new Error('nobody asked for that')),
  });
  const answer = await new Promise<MembersAnswer>((resolve) =>
    guard.receive(fakeConnection({ clock }), ['room:members', 'dashboard', resolve]),
  );
  expect([answer.members.length, answer.members.at(-1)?.userId, answer.total]).toEqual([1_000, 'user999', 1_234]);
});

test('[3] access is given and taken by admins of the room alone, in whose name it is done', async () => {
  const clock = createManualClock();
  const guard = new Guard({ clock, log: { warn: () => {}, error: () => {} } });
  const set: string[] = [];
  registerRoomMessages({
    guard,
    membership: {} as Membership,
    presence: {} as Presence,
    setAccess: async (room, userId, access, by) => void set.push(`${by.user.id}: ${userId} ${access} in ${room}`),
  });
  const ask = (access: Access, name: string, request: object) =>
    new Promise<object>((resolve) => guard.receive(fakeConnection({ clock, decide: () => access }), [name, request, resolve]));
  const bob = { room: 'plan', userId: 'bob' };
  for (const level of ['none', 'read', 'write'] as const) {
    expect(await ask(level, 'room:grant', { ...bob, access: 'write' })).toMatchObject({ error: { code: 'access-denied' } });
    expect(await ask(level, 'room:revoke', bob)).toMatchObject({ error: { code: 'access-denied' } });
  }
  expect(set).toEqual([]);
  expect(await ask('admin', 'room:grant', { ...bob, access: 'write' })).toEqual({ success: true });
  expect(await ask('admin', 'room:revoke', bob)).toEqual({ success: true });
  expect(set).toEqual(['ada: bob write in plan', 'ada: bob none in plan']);
});
