// Declare events
export {
  type AnyEventDefinition,
  defineEvent,
  type Delivery,
  type EventDeclaration,
  type EventDefinition,
  type Sender,
} from './define-event.ts';
export { CATALOG, type CatalogEvents, type EventName, type EventNameBy, type Events, type InputOf, type PayloadOf } from './catalog.ts';

// Rooms and access
export { type Access, type AccessClaim, accessFromClaim, permits } from './access.ts';
export { documentRoom, parseRoomName, type RoomName, userRoom } from './room-name.ts';
export type { EventMeta, NotRecovered, Position } from './position.ts';
export type { Member, PublicUser, User } from './user.ts';

// The wire
export { type DocumentFrame, decodeClientFrame, decodeServerFrame, encodeFrame, PROTOCOL_VERSION } from './document-frame.ts';
export type { Ack, JoinAnswer, SessionAnnouncement } from './messages.ts';

// Handle what goes wrong
export { AshlarError, type ErrorCode, ERRORS, type Retry, type WireError } from './errors.ts';
