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
// State that a page shows: nothing happens until somebody subscribes
export { type BatchState, createBatch } from './features/batch.ts';
export type { ChatMessage } from './features/chat-log.ts';
export {
  type ChatActions,
  type ChatSession,
  type ChatSessionOptions,
  type ChatState,
  createChatSession,
} from './features/chat-session.ts';
export { createDashboard, type DashboardState, type WidgetValue } from './features/dashboard.ts';
export type { FeatureClient } from './features/feature-client.ts';
export type { NotificationItem } from './features/inbox.ts';
export { createLostConnection } from './features/lost-connection.ts';
export {
  createNotifications,
  type NotificationActions,
  type Notifications,
  type NotificationsState,
} from './features/notifications.ts';
export { type OpenDocument, watchedDocument } from './features/open-document.ts';
export { type Person, watchedPeople } from './features/people.ts';
export { createSaveStatus, type SaveStatus } from './features/save-status.ts';
export { watchedArray, watchedMap, watchedText } from './features/shared-types.ts';
export type { Typer } from './features/typing.ts';
export { createUndo, type Undo, type UndoActions, type UndoOptions, type UndoState } from './features/undo.ts';
export { watchedRoom } from './features/watched-room.ts';
export type { ConnectionNotice } from './lost-connection.ts';
// Keep documents somewhere else
export type { OfflineStorage, Stored, StoredDocument, StoredEdit, TabChannel, TabMessage } from './offline/offline-storage.ts';
// Bind to anything
export type { Readable } from './readable.ts';
export type { Joined, RoomStatus } from './rooms.ts';
// Sign in
export type { TokenSource } from './token.ts';
