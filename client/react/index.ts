// Start here

export { useEventClient, useRealtime } from './context.ts';
export {
  EventClientProvider,
  type GivenClient,
  type OwnClient,
  RealtimeProvider,
  type RealtimeProviderProps,
} from './realtime-provider.ts';
// Your own events, typed
export type { OwnEvents, PresenceState, Register } from './register.ts';
// Presence in a document
export { useAwareness, useOthers, useSelf } from './use-awareness.ts';
// The connection
export { type SystemStatus, useConnectionStatus, useLostConnection, useSystemStatus } from './use-connection.ts';
// Documents
export {
  type DocumentSource,
  useArray,
  useDocument,
  useMap,
  useSaveStatus,
  useText,
  useUnsavedDocuments,
} from './use-document.ts';
// Chat, notifications, batches, dashboards
export { type Chat, type NotificationList, useBatch, useChat, useDashboard, useNotifications } from './use-features.ts';
// Events and rooms
export { useLatest, usePresence, useWebSocket, useWebSocketRoom } from './use-rooms.ts';
// Anything else of the SDK
export { type IsEqual, type Select, useReadable } from './use-store.ts';
export { useUndo } from './use-undo.ts';
