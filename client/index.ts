// Start here

// What travels
export type { Access } from '../shared/access.ts';
// Declare your own events
export { defineEvent, type EventDefinition } from '../shared/define-event.ts';
// Handle what goes wrong
export { AshlarError, type ErrorCode } from '../shared/errors.ts';
export type { EventMeta, NotRecovered, Position } from '../shared/position.ts';
export type { Member, PublicUser } from '../shared/user.ts';
// Rooms and events
export type { EmitAnswer, EmitOptions, PlatformEvents } from './client-events.ts';
// The connection
export type { ConnectionStatus, LossCause } from './connection.ts';
export type { Transport } from './connector.ts';
export { type Client, type ClientOptions, createClient } from './create-client.ts';
// Documents
export type { DocumentEvents, DocumentHandle } from './documents/document-handle.ts';
export type { DocumentStatus, ResetReason } from './documents/document-status.ts';
export type { DocumentOptions } from './documents/documents.ts';
export type { ResetEvent } from './documents/live-document.ts';
// Bring your own clock and network
export { type Environment, platformEnvironment } from './environment.ts';
// Events alone: no Yjs in the bundle
export { type ChatPage, createEventClient, type EventClient, type EventClientOptions, type SessionUser } from './event-client.ts';
export type { ConnectionNotice } from './lost-connection.ts';
// Bind to anything
export type { Readable } from './readable.ts';
export type { Joined, RoomStatus } from './rooms.ts';
// Sign in
export type { TokenSource } from './token.ts';
