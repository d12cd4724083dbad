// Checked by tsc (npm run types), never run: what must not compile.
import type { Admitted, Guard, Handler, Rule } from '../../server/guard/guard.ts';
import type { Connection } from '../../server/rooms/connection.ts';
import { parseRoomName, type RoomName } from '../../shared/room-name.ts';

declare const guard: Guard;
declare const connection: Connection;
declare const handler: Handler<string>;
declare const rule: Rule<string>;
declare const admitted: Admitted<string>;

export function messagesComeFromTheGuardAlone(): void {
  void handler(admitted);
  const room = parseRoomName('a');
  const byHand = { connection, user: connection.user, room, access: 'write', payload: 'x', id: undefined } as const;
  // @ts-expect-error what did not pass the guard is no admitted message
  void handler(byHand);
}

export function payloadsAreThoseOfTheRule(): void {
  guard.handle(rule, ({ payload }) => ({ answer: { length: payload.length } }));
  // @ts-expect-error the rule gives text
  guard.handle(rule, ({ payload }: Admitted<number>) => ({ answer: { payload } }));
}

export function roomNamesAreChecked(): void {
  // @ts-expect-error a room name passes the grammar first
  const name: RoomName = 'a..b';
  void name;
}
