// Start here
export { RealtimeServer, type PublishedAs, type ServerDocuments, type Stats } from './server.ts';
export type { Authorize, Limits, RealtimeServerOptions, Settings } from './options.ts';
export type { ServerEventHandler, ServerEventName, ServerEvents } from './hooks.ts';

// Declare your own events
export { defineEvent, type EventDeclaration, type EventDefinition } from '../shared/define-event.ts';

// Make tokens for your users
export { signToken, type SignTokenOptions, type TokenClaims } from './guard/sign-token.ts';

// Handle what goes wrong
export { AshlarError, type ErrorCode, ERRORS } from '../shared/errors.ts';
export type { Access, AccessClaim } from '../shared/access.ts';
export type { User } from '../shared/user.ts';

// Bring your own parts
export { createSocketServer, type SocketServerOptions } from './sockets/create-socket-server.ts';
export type * from './storage/store.ts';
