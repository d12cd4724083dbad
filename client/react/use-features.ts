import { useMemo } from 'react';
import { AshlarError } from '../../shared/errors.ts';
import { type BatchState, batch } from '../features/batch.ts';
import { chatSession } from '../features/chat-front.ts';
import { type ChatActions, type ChatSession, type ChatState, NO_CHAT } from '../features/chat-state.ts';
import { createDashboard, type DashboardState, NO_DASHBOARD } from '../features/dashboard.ts';
import { NO_NOTIFICATIONS, type NotificationActions, type NotificationsState, notifications } from '../features/notifications.ts';
import type { Readable } from '../readable.ts';
import { useClient } from './context.ts';
import { type IsEqual, itself, type Select, useStable, useStore } from './use-store.ts';

const noSession = (): never => {
  throw new AshlarError('invalid-options', { detail: 'useChat(null) has no session to send to' });
};
const NO_SESSION: ChatSession = {
  get: () => NO_CHAT,
  subscribe: () => () => {},
  send: noSession,
  retry: noSession,
  discard: noSession,
  loadOlder: async () => {},
  setTyping: () => {},
};

/** What a store holds, with what can be done with it. */
function useActing<State, Actions>(
  store: Readable<State> & Actions,
  initial: State,
  select: (value: State & Actions) => unknown,
  isEqual: IsEqual<unknown> | undefined,
): unknown {
  const { get, subscribe, ...actions } = store;
  return useStore<State, unknown>(store, initial, (state) => select({ ...state, ...(actions as Actions) }), isEqual);
}

/** A chat session as a component sees it. */
export interface Chat extends ChatState, ChatActions {}

/**
 * A chat session: its messages, who types, and what can be done. All components that ask for a session share it: a message sent in one
 * stands in the others at once.
 * @param sessionId null: none
 * @param select picks a part: `({ send }) => send` renders never again
 */
export function useChat(sessionId: string | null): Chat;
export function useChat<Selected>(
  sessionId: string | null,
  select: Select<Chat, Selected>,
  isEqual?: IsEqual<Selected>,
): Selected;
export function useChat<Selected>(
  sessionId: string | null,
  select: Select<Chat, unknown> = itself,
  isEqual?: IsEqual<unknown>,
): Selected {
  const client = useClient('useChat');
  const session = useMemo(() => (sessionId === null ? NO_SESSION : chatSession(client, sessionId)), [client, sessionId]);
  return useActing<ChatState, ChatActions>(session, NO_CHAT, select, isEqual) as Selected;
}

/** The user's notifications, and what can be done with them. */
export interface NotificationList extends NotificationsState, NotificationActions {}

/** The user's notifications, newest first, and how many are unread; read on one device, they are read on all. */
export function useNotifications(): NotificationList;
export function useNotifications<Selected>(select: Select<NotificationList, Selected>, isEqual?: IsEqual<Selected>): Selected;
export function useNotifications<Selected>(
  select: Select<NotificationList, unknown> = itself,
  isEqual?: IsEqual<unknown>,
): Selected {
  const client = useClient('useNotifications');
  const store = useMemo(() => notifications(client), [client]);
  return useActing<NotificationsState, NotificationActions>(store, NO_NOTIFICATIONS, select, isEqual) as Selected;
}

/** A batch job; null until something is known of it. @param batchId null: none */
export function useBatch(batchId: string | null): BatchState | null;
export function useBatch<Selected>(
  batchId: string | null,
  select: Select<BatchState | null, Selected>,
  isEqual?: IsEqual<Selected>,
): Selected;
export function useBatch<Selected>(
  batchId: string | null,
  select?: Select<BatchState | null, Selected>,
  isEqual?: IsEqual<Selected>,
): Selected {
  const client = useClient('useBatch');
  const job = useMemo(() => (batchId === null ? null : batch(client, batchId)), [client, batchId]);
  return useStore(job, null, select, isEqual);
}

/** The newest values of some widgets, and whether they are live. @param widgets may be written inline */
export function useDashboard<const Widget extends string>(widgets: readonly Widget[]): DashboardState<Widget>;
export function useDashboard<const Widget extends string, Selected>(
  widgets: readonly Widget[],
  select: Select<DashboardState<Widget>, Selected>,
  isEqual?: IsEqual<Selected>,
): Selected;
export function useDashboard<const Widget extends string, Selected>(
  widgets: readonly Widget[],
  select?: Select<DashboardState<Widget>, Selected>,
  isEqual?: IsEqual<Selected>,
): Selected {
  const client = useClient('useDashboard');
  const wanted = useStable(widgets);
  const dashboard = useMemo(() => createDashboard(client, wanted), [client, wanted]);
  return useStore<DashboardState<Widget>, Selected>(dashboard, NO_DASHBOARD, select, isEqual);
}
