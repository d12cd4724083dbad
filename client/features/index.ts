// State that a page shows, for any framework; their types are in ashlar/client. Nothing happens until somebody subscribes.
export { createBatch } from './batch.ts';
export { createChatSession } from './chat-session.ts';
export { createDashboard } from './dashboard.ts';
export { createLostConnection } from './lost-connection.ts';
export { createNotifications } from './notifications.ts';
export { watchedDocument } from './open-document.ts';
export { watchedPeople } from './people.ts';
export { createSaveStatus } from './save-status.ts';
export { watchedArray, watchedMap, watchedText } from './shared-types.ts';
export { createUndo } from './undo.ts';
export { watchedRoom } from './watched-room.ts';
