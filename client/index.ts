// Start here: events alone
export { type ChatPage, createEventClient, type EventClient, type EventClientOptions, type SessionUser } from './event-client.ts';
