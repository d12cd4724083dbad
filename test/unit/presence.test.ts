import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createPresence } from '../../server/rooms/presence.ts';
import { parseRoomName, type RoomName } from '../../shared/room-name.ts';
import type { Member } from '../../shared/user.ts';
import { createManualClock } from '../support/manual-clock.ts';

const ROOM = parseRoomName('chat:s1');
const OTHER = parseRoomName('dashboard');
const user = (id: string, name = id) => ({ id, name, color: '#123456' });

function setup(graceMs = 5_000) {
  const clock = createManualClock({ now: 1_000_000 });
  const told: { room: RoomName; users: Member[] }[] = [];
  const presence = createPresence({ clock, graceMs, changed: (room, users) => told.push({ room, users }) });
  return {
    clock,
    presence,
    /** What was told since the last time, in short. */
    tell: () =>
      told.splice(0).map(({ room, users }) => `${room}: ${users.map((member) => `${member.name} ${member.status}`).join(', ')}`),
    who: (room = ROOM) => presence.members(room).map((member) => `${member.userId} ${member.status}`),
  };
}

describe('presence', () => {
  test('of sockets that have left all of their rooms, whatever the way, holds nothing', () => {
    const { presence, clock } = setup();
    for (const [index, go] of [
      (id: string) => {
        presence.leave(ROOM, id);
        presence.leave(OTHER, id);
      },
      (id: string) => {
        presence.expel(ROOM, id);
        presence.expel(OTHER, id);
      },
      (id: string) => presence.socketGone(id),
    ].entries()) {
      for (const room of [ROOM, OTHER]) presence.join(room, user('anna'), `socket ${index}`);
      expect(presence.held).toEqual({ sockets: 1, rooms: 2 });
      go(`socket ${index}`);
      clock.advance(5_000);
      expect(presence.held).toEqual({ sockets: 0, rooms: 0 });
      expect(clock.armed).toBe(0);
    }
  });

  test('of who is put out ends at once, and is not remembered; another socket of the same user stays', () => {
    const { presence, clock, tell, who } = setup();
    presence.join(ROOM, user('anna'), 'a1');
    presence.join(ROOM, user('bob'), 'b1');
    presence.join(ROOM, user('bob'), 'b2');
    clock.advance(50);
    tell();
    presence.expel(ROOM, 'b1');
    expect(who()).toEqual(['anna online', 'bob online']);
    presence.expel(ROOM, 'b2');
    expect(who()).toEqual(['anna online']);
    clock.advance(50);
    expect(tell()).toEqual(['chat:s1: bob offline']);
    presence.close();
    expect(clock.armed).toBe(0);
  });

  test('shows who comes, and who went after the grace, seen last when the last socket went', () => {
    const { presence, clock, tell, who } = setup();
    presence.join(ROOM, user('anna'), 'a1');
    presence.join(ROOM, user('bob'), 'b1');
    clock.advance(50);
    expect(tell()).toEqual(['chat:s1: anna online, bob online']);
    clock.advance(950);
    presence.socketGone('b1');
    clock.advance(4_999);
    expect([tell(), who()]).toEqual([[], ['anna online', 'bob online']]);
    clock.advance(51);
    expect([tell(), who()]).toEqual([['chat:s1: bob offline'], ['anna online', 'bob offline']]);
    expect(presence.members(ROOM)).toEqual([
      { userId: 'anna', name: 'anna', color: '#123456', status: 'online', lastSeen: clock.now() },
      { userId: 'bob', name: 'bob', color: '#123456', status: 'offline', lastSeen: 1_001_000 },
    ]);
  });

  test('shows who came back within the grace as there now, not as gone since', () => {
    const { presence, clock } = setup();
    presence.join(ROOM, user('anna'), 'a1');
    clock.advance(1_000);
    presence.leave(ROOM, 'a1');
    clock.advance(2_000);
    expect(presence.members(ROOM)).toMatchObject([{ userId: 'anna', status: 'online', lastSeen: 1_001_000 }]);
    presence.join(ROOM, user('anna'), 'a2');
    clock.advance(60_000);
    expect(presence.members(ROOM)).toMatchObject([{ userId: 'anna', status: 'online', lastSeen: clock.now() }]);
  });

  test('counts a user with three sockets once, until the last has gone', () => {
    const { presence, clock, tell, who } = setup();
    presence.join(ROOM, user('anna'), 'a1');
    presence.join(ROOM, user('anna'), 'a2');
    presence.join(ROOM, user('anna'), 'a3');
    presence.join(ROOM, user('bob'), 'b1');
    clock.advance(50);
    expect([tell(), who()]).toEqual([['chat:s1: anna online, bob online'], ['anna online', 'bob online']]);
    presence.socketGone('a1');
    presence.leave(ROOM, 'a2');
    clock.advance(60_000);
    expect([tell(), who()]).toEqual([[], ['anna online', 'bob online']]);
    presence.socketGone('a3');
    clock.advance(5_050);
    expect([tell(), who()]).toEqual([['chat:s1: anna offline'], ['bob online', 'anna offline']]);
  });

  test('does not notice a reload', () => {
    const { presence, clock, tell, who } = setup();
    presence.join(ROOM, user('anna'), 'a1');
    presence.join(ROOM, user('bob'), 'b1');
    clock.advance(50);
    tell();
    presence.socketGone('a1');
    clock.advance(4_999);
    presence.join(ROOM, user('anna'), 'a2');
    clock.advance(60_000);
    expect([tell(), who()]).toEqual([[], ['anna online', 'bob online']]);
  });

  test('shows a user again who comes back after being offline', () => {
    const { presence, clock, tell, who } = setup();
    presence.join(ROOM, user('bob'), 'b1');
    presence.join(ROOM, user('anna'), 'a1');
    presence.leave(ROOM, 'a1');
    clock.advance(6_000);
    tell();
    presence.join(ROOM, user('anna'), 'a1');
    clock.advance(50);
    expect([tell(), who()]).toEqual([['chat:s1: anna online'], ['bob online', 'anna online']]);
  });

  test('tells of a new name or colour, and not of a second join with the old one', () => {
    const { presence, clock, tell } = setup();
    presence.join(ROOM, user('anna'), 'a1');
    clock.advance(50);
    tell();
    presence.join(ROOM, user('anna'), 'a1');
    clock.advance(50);
    expect(tell()).toEqual([]);
    presence.join(ROOM, user('anna', 'Anna Ek'), 'a1');
    clock.advance(50);
    expect(tell()).toEqual(['chat:s1: Anna Ek online']);
  });

  test('gathers what happens within 50 ms, per room, and tells each user as they are then', () => {
    const { presence, clock, tell } = setup(10);
    presence.join(ROOM, user('bob'), 'b1');
    clock.advance(100);
    tell();
    presence.join(ROOM, user('anna'), 'a1');
    presence.join(OTHER, user('anna'), 'a1');
    clock.advance(20);
    presence.leave(ROOM, 'a1');
    clock.advance(29);
    expect(tell()).toEqual([]);
    clock.advance(1);
    expect(tell()).toEqual(['chat:s1: anna offline', 'dashboard: anna online']);
  });

  test('tells of everyone who goes at once, however few it remembers afterwards', () => {
    const { presence, clock, tell, who } = setup();
    presence.join(ROOM, user('stays'), 's');
    for (let n = 0; n < 300; n++) presence.join(ROOM, user(`u${n}`), `s${n}`);
    clock.advance(300);
    tell();
    for (let n = 0; n < 300; n++) presence.socketGone(`s${n}`);
    clock.advance(5_301);
    expect(
      tell()
        .join()
        .match(/offline/g),
    ).toHaveLength(300);
    expect(who()).toHaveLength(101);
    expect(who().slice(0, 3)).toEqual(['stays online', 'u299 offline', 'u298 offline']);
  });

  test('of a large room is told the less often the more there are: a crowd does not cost its square', () => {
    const { presence, clock, tell } = setup();
    for (let n = 0; n < 400; n++) presence.join(ROOM, user(`u${n}`), `s${n}`);
    clock.advance(1_000);
    tell();
    for (let n = 400; n < 450; n++) {
      presence.join(ROOM, user(`u${n}`), `s${n}`);
      clock.advance(40);
    }
    clock.advance(500);
    const told = tell();
    expect(told.length).toBeGreaterThan(2);
    expect(told.length).toBeLessThanOrEqual(6);
    expect(told.join().match(/online/g)).toHaveLength(50);
  });

  test('forgets a room in which nobody is online, and leaves no timer', () => {
    const { presence, clock, tell, who } = setup();
    presence.join(ROOM, user('anna'), 'a1');
    presence.join(ROOM, user('bob'), 'b1');
    presence.leave(ROOM, 'a1');
    clock.advance(6_000);
    presence.socketGone('b1');
    clock.advance(4_999);
    expect(who()).toEqual(['bob online', 'anna offline']);
    clock.advance(1);
    expect([who(), clock.armed]).toEqual([[], 0]);
    tell();
    clock.advance(60_000);
    expect(tell()).toEqual([]);
  });

  test('takes leaving twice, leaving elsewhere and unknown sockets for nothing', () => {
    const { presence, clock, who } = setup();
    presence.leave(ROOM, 'a1');
    presence.socketGone('a1');
    presence.join(ROOM, user('anna'), 'a1');
    presence.leave(OTHER, 'a1');
    presence.leave(ROOM, 'a2');
    clock.advance(60_000);
    expect(who()).toEqual(['anna online']);
    presence.leave(ROOM, 'a1');
    clock.advance(3_000);
    presence.leave(ROOM, 'a1');
    presence.socketGone('a1');
    clock.advance(2_000);
    expect([who(), clock.armed]).toEqual([[], 0]);
  });

  test('leaves no ghost where a socket comes to stand for another user', () => {
    const { presence, clock, who } = setup();
    presence.join(ROOM, user('anna'), 's');
    presence.join(ROOM, user('bob'), 's');
    clock.advance(6_000);
    expect(who()).toEqual(['bob online', 'anna offline']);
    presence.socketGone('s');
    clock.advance(6_000);
    expect([who(), clock.armed]).toEqual([[], 0]);
  });

  test('closed, it holds nobody and no timer', () => {
    const { presence, clock, tell, who } = setup();
    presence.join(ROOM, user('anna'), 'a1');
    presence.join(ROOM, user('bob'), 'b1');
    presence.socketGone('b1');
    presence.close();
    clock.advance(60_000);
    expect([who(), tell(), clock.armed]).toEqual([[], [], 0]);
  });

  test('told of the changes alone, a member knows who is online; and with all sockets gone nothing is left', () => {
    const step = fc.record({
      what: fc.constantFrom('join', 'leave', 'gone', 'wait'),
      socket: fc.nat(5),
      room: fc.constantFrom(ROOM, OTHER),
      ms: fc.constantFrom(1, 30, 60, 3_000, 6_000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const clock = createManualClock();
        const known = new Map<string, Map<string, string>>();
        const presence = createPresence({
          clock,
          graceMs: 5_000,
          changed: (room, users) => {
            const seen = known.get(room) ?? new Map<string, string>();
            known.set(room, seen);
            for (const member of users) seen.set(member.userId, member.status);
          },
        });
        const inside = new Map<RoomName, Set<number>>([
          [ROOM, new Set()],
          [OTHER, new Set()],
        ]);
        // Somebody who watches, so that no room is forgotten. Sockets 0 to 5 are three users with two each.
        for (const room of inside.keys()) presence.join(room, user('watcher'), 'w');
        for (const { what, socket, room, ms } of steps) {
          if (what === 'join') {
            presence.join(room, user(`u${socket % 3}`), `s${socket}`);
            inside.get(room)?.add(socket);
          } else if (what === 'leave') {
            presence.leave(room, `s${socket}`);
            inside.get(room)?.delete(socket);
          } else if (what === 'gone') {
            presence.socketGone(`s${socket}`);
            for (const there of inside.values()) there.delete(socket);
          } else clock.advance(ms);
        }
        clock.advance(6_000);
        for (const [room, there] of inside) {
          const online = new Set([...there].map((socket) => `u${socket % 3}`));
          const members = presence.members(room).filter((member) => member.status === 'online' && member.userId !== 'watcher');
          expect(new Set(members.map((member) => member.userId))).toEqual(online);
          const seen = [...(known.get(room) ?? [])]
            .filter(([id, status]) => status === 'online' && id !== 'watcher')
            .map(([id]) => id);
          expect(new Set(seen)).toEqual(online);
        }
        for (let socket = 0; socket <= 5; socket++) presence.socketGone(`s${socket}`);
        presence.socketGone('w');
        clock.advance(6_000);
        expect([presence.members(ROOM), presence.members(OTHER), clock.armed]).toEqual([[], [], 0]);
      }),
    );
  });
});

test('a room that had more than 500 users online is told who came and went meanwhile, once there are fewer: 2,000 of them at most', () => {
  const clock = createManualClock();
  const told: string[] = [];
  const changed = (_room: RoomName, users: Member[]) => told.push(...users.map(({ userId, status }) => `${userId} ${status}`));
  const presence = createPresence({ clock, graceMs: 0, changed });
  const come = (id: string) => presence.join(ROOM, user(id), id);
  const go = (id: string) => {
    presence.socketGone(id);
    clock.advance(1_000);
  };
  for (let index = 0; index < 500; index++) come(`u${index}`);
  clock.advance(1_000);
  told.length = 0;
  for (const id of ['came', 'came and went', 'last']) come(id);
  for (const id of ['came and went', 'u0']) go(id);
  expect(told).toEqual([]);
  go('u1');
  go('u2');
  expect(told).toEqual(['came online', 'came and went offline', 'last online', 'u0 offline', 'u1 offline', 'u2 offline']);

  told.length = 0;
  for (const id of ['more', 'and more']) come(id);
  for (let index = 0; index < 3_000; index++) {
    come(`passing ${index}`);
    go(`passing ${index}`);
  }
  expect(told).toEqual([]);
  go('u3');
  expect(told).toContain('passing 2999 offline');
  expect(told.length).toBeLessThanOrEqual(2_003);
  presence.close();
});

test('a room with more than 500 users online is told nothing of who comes and goes, and answers all the same', () => {
  const clock = createManualClock();
  const told: number[] = [];
  const presence = createPresence({ clock, graceMs: 0, changed: (_room, users) => told.push(users.length) });
  const room = parseRoomName('system');
  for (let index = 0; index < 500; index++) presence.join(room, { id: `u${index}`, name: 'n', color: '#000000' }, `s${index}`);
  clock.advance(1_000);
  expect(told).toEqual([500]);
  presence.join(room, { id: 'one more', name: 'n', color: '#000000' }, 'one more');
  clock.advance(1_000);
  expect(told).toEqual([500]);
  expect(presence.members(room)).toHaveLength(501);
  presence.close();
});
