// Start here

export type { Access, AccessClaim } from '../shared/access.ts';
// Declare your own events
export { defineEvent, type EventDeclaration, type EventDefinition } from '../shared/define-event.ts';
// Handle what goes wrong
export { AshlarError, ERRORS, type ErrorCode } from '../shared/errors.ts';
export { HTTP_STATUS } from '../shared/http-status.ts';
export type { User } from '../shared/user.ts';
export type { QuarantinedUpdate } from './documents/documents.ts';
export type { ServerDocuments } from './documents/server-documents.ts';

// Make tokens for your users
export { type SignTokenOptions, signToken, type TokenClaims } from './guard/sign-token.ts';
export type { ServerEventHandler, ServerEventName, ServerEvents } from './hooks.ts';
export type { Authorize, Limits, RealtimeServerOptions, Settings } from './options.ts';
export { type PublishedAs, RealtimeServer } from './server.ts';
// Bring your own parts
export { createSocketServer, type SocketServerOptions } from './sockets/create-socket-server.ts';
export type { Stats } from './stats.ts';
export type * from './storage/store.ts';
