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
export type { DocumentHandle } from './documents/document-handle.ts';
export type { DocumentEvents, ResetEvent } from './documents/document-listener.ts';
export type { DocumentStatus, ResetReason } from './documents/document-status.ts';
export type { DocumentOptions, DocumentsOptions, UnsavedDocument } from './documents/documents.ts';
// Bring your own clock and network
export { type Environment, platformEnvironment } from './environment.ts';
// Events alone: no Yjs in the bundle
export {
  type ChatPage,
  createEventClient,
  type EventClient,
  type EventClientOptions,
  type NotificationPage,
  type SessionUser,
} from './event-client.ts';
// What ashlar/features and the hooks of ashlar/react give
export type { BatchState } from './features/batch.ts';
export type { ChatMessage } from './features/chat-log.ts';
export type { ChatSessionOptions } from './features/chat-session.ts';
export type { ChatActions, ChatSession, ChatState } from './features/chat-state.ts';
export type { DashboardState, WidgetValue } from './features/dashboard.ts';
export type { FeatureClient } from './features/feature-client.ts';
export type { NotificationItem } from './features/inbox.ts';
export type { NotificationActions, Notifications, NotificationsState } from './features/notifications.ts';
export type { OpenDocument } from './features/open-document.ts';
export type { Person } from './features/people.ts';
export type { SaveStatus } from './features/save-status.ts';
export type { Typer } from './features/typing.ts';
export type { Undo, UndoActions, UndoOptions, UndoState } from './features/undo.ts';
export type { ConnectionNotice } from './lost-connection.ts';
// Keep documents somewhere else
export type { OfflineStorage, Stored, StoredDocument, StoredEdit, TabChannel, TabMessage } from './offline/offline-storage.ts';
// Bind to anything
export type { Readable } from './readable.ts';
export type { Joined, RoomStatus } from './rooms.ts';
// Sign in
export type { TokenSource } from './token.ts';
