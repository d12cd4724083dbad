import type { AllEvents, EmitAnswerOf, EmitOptions, ListenerArgs, SendInput } from '../client-events.ts';
import type { EventClient } from '../event-client.ts';

type Heard =
  | 'chat:message'
  | 'chat:typing'
  | 'system:notification'
  | 'notification:read'
  | 'batch:progress'
  | 'batch:completed'
  | 'dashboard:update';
type Sent = 'chat:message' | 'chat:typing';

// A union of functions to an intersection: the overloads of one function.
type Overloads<Union> = (Union extends unknown ? (one: Union) => void : never) extends (all: infer All) => void ? All : never;

type On<Name extends Heard> = Name extends unknown
  ? (name: Name, listener: (...args: ListenerArgs<AllEvents<[]>, Name>) => void) => () => void
  : never;

type Emit<Name extends Sent> = Name extends unknown
  ? (name: Name, data: SendInput<AllEvents<[]>, Name>, options?: EmitOptions) => Promise<EmitAnswerOf<AllEvents<[]>, Name>>
  : never;

/**
 * What chat, notifications, dashboards and batches need of a client, with whatever events its product has declared: `createClient`
 * and `createEventClient` both make one.
 */
export interface FeatureClient
  extends Pick<
    EventClient,
    | 'status'
    | 'user'
    | 'room'
    | 'joinRoom'
    | 'leaveRoom'
    | 'chatHistory'
    | 'unreadNotifications'
    | 'markNotificationsRead'
    | 'onConnectionNotice'
  > {
  on: Overloads<On<Heard>>;
  emit: Overloads<Emit<Sent>>;
}
