// Declare events

// Rooms and access
export { type Access, type AccessClaim, accessFromClaim, permits } from './access.ts';
export {
  CATALOG,
  type CatalogEvents,
  type EventName,
  type EventNameBy,
  type Events,
  type InputOf,
  type PayloadOf,
} from './catalog.ts';
export {
  type AnyEventDefinition,
  type Delivery,
  defineEvent,
  type EventDeclaration,
  type EventDefinition,
  type Sender,
} from './define-event.ts';
// The wire
export { type DocumentFrame, decodeClientFrame, decodeServerFrame, encodeFrame, PROTOCOL_VERSION } from './document-frame.ts';
// Handle what goes wrong
export { AshlarError, ERRORS, type ErrorCode, type Retry, type WireError } from './errors.ts';
export { HTTP_STATUS } from './http-status.ts';
export type { Ack, JoinAnswer, SessionAnnouncement } from './messages.ts';
export type { EventMeta, NotRecovered, Position } from './position.ts';
export { documentRoom, parseRoomName, type RoomName, userRoom } from './room-name.ts';
export type { Member, PublicUser, User } from './user.ts';
