import type { Socket } from 'socket.io';

type Connection = Socket['conn'];
type Transport = Connection['transport'];

/** Ours, on the engine's connections: their own events begin where a transport has proved itself. */
const UPGRADE_ASKED = 'ashlar:upgrade-asked';

interface Emitter {
  on(event: typeof UPGRADE_ASKED, listener: (transport: Transport) => void): void;
  emit(event: typeof UPGRADE_ASKED, transport: Transport): void;
}

/** Told of each transport that asks to take over a connection, before anything is read from it. Most of them do; some never say another word. */
export function onUpgradeAsked(conn: Connection, listener: (transport: Transport) => void): void {
  (conn as unknown as Emitter).on(UPGRADE_ASKED, listener);
}

/** To be called with a transport that was made for a connection that has one. */
export function tellUpgradeAsked(conn: object, transport: object): void {
  (conn as Emitter).emit(UPGRADE_ASKED, transport as Transport);
}
