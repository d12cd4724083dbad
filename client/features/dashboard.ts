import { onAnotherUser } from '../another-user.ts';
import { type Environment, platformEnvironment } from '../environment.ts';
import type { Readable } from '../readable.ts';
import { snapshot } from '../snapshot.ts';
import { watched } from '../watched.ts';
import type { FeatureClient } from './feature-client.ts';
import { holdRoom } from './hold-room.ts';

export interface WidgetValue {
  readonly value: number;
  /** ISO 8601: the backend's. */
  readonly timestamp: string;
}

export interface DashboardState<Widget extends string = string> {
  /** The newest value of each widget that has one. A widget's entry keeps its identity until it changes. */
  readonly widgets: { readonly [Name in Widget]?: WidgetValue };
  /** Whether the values are today's: connected, and in the room. */
  readonly live: boolean;
  /** Since when they are not, Unix ms by this device's clock; null while live, and before they ever were. */
  readonly staleSince: number | null;
}

/** What is shown before anything is known. */
export const NO_DASHBOARD: DashboardState<never> = { widgets: {}, live: false, staleSince: null };

const ROOM = 'dashboard';

/** The newest values of some widgets. Making one does nothing; it lives while somebody subscribes. */
export function createDashboard<const Widget extends string>(
  client: FeatureClient,
  widgets: readonly Widget[],
  options: { environment?: Environment } = {},
): Readable<DashboardState<Widget>> {
  const env = options.environment ?? platformEnvironment();
  const wanted = new Set<string>(widgets);
  const watchUser = onAnotherUser(client.user, () => dashboard.set({ ...dashboard.get(), widgets: {}, staleSince: null }));
  const dashboard = watched<DashboardState<Widget>>(NO_DASHBOARD, (store) => {
    const show = (change: Partial<DashboardState<Widget>>): void =>
      store.set(snapshot(store.get(), { ...store.get(), ...change }) as DashboardState<Widget>);
    const status = client.room(ROOM);
    const onRoom = (): void => {
      const { live, staleSince } = store.get();
      const joined = status.get().state === 'joined';
      if (joined !== live) show({ live: joined, staleSince: joined ? null : live ? env.now() : staleSince });
    };
    onRoom();
    return [
      watchUser(),
      client.on('dashboard:update', ({ widgetId, value, timestamp }, { room }) => {
        if (room !== ROOM || !wanted.has(widgetId)) return;
        show({ widgets: { ...store.get().widgets, [widgetId]: { value, timestamp } } });
      }),
      status.subscribe(onRoom),
      holdRoom(client, ROOM),
      () => {
        if (store.get().live) show({ live: false, staleSince: env.now() });
      },
    ];
  });
  return dashboard;
}
