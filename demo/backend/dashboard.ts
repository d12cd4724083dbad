import type { RealtimeServer } from 'ashlar/server';
import { HISTORY_POINTS, WIDGETS, type WidgetId } from '../widgets.ts';

/** The newest values of a widget, oldest first, one a second. */
export type History = Readonly<Record<WidgetId, readonly number[]>>;

export interface Dashboard {
  history(): History;
  latest(widget: WidgetId): number;
  stop(): void;
}

const TICK_MS = 1_000;

/** The numbers of a shop that does not exist, which behave like those of one that does. */
export function createDashboard(realtime: RealtimeServer): Dashboard {
  const values: Record<WidgetId, number[]> = { visitors: [412], orders: [18], revenue: [18_240], latency: [64] };
  const latest = (widget: WidgetId): number => values[widget].at(-1) as number;
  const note = (widget: WidgetId, value: number): void => {
    values[widget].push(Math.round(value));
    if (values[widget].length > HISTORY_POINTS) values[widget].shift();
  };
  const step = (): void => {
    note('visitors', towards(latest('visitors'), 420, 12));
    note('orders', towards(latest('orders'), 20, 3));
    note('revenue', latest('revenue') + latest('orders') * (0.4 + Math.random()));
    // A slow answer now and then, as everywhere.
    note('latency', Math.random() < 0.05 ? 180 + Math.random() * 60 : towards(Math.min(latest('latency'), 90), 62, 9));
  };
  const push = async (widgets: readonly string[]): Promise<void> => {
    const timestamp = new Date().toISOString();
    const known = WIDGETS.filter(({ id }) => widgets.includes(id));
    await Promise.all(
      known.map(({ id }) => realtime.broadcast('dashboard:update', { widgetId: id, value: latest(id), timestamp })),
    );
  };

  for (let point = 0; point < HISTORY_POINTS; point++) step();
  const all = WIDGETS.map(({ id }) => id);
  const timer = setInterval(() => {
    step();
    push(all).catch((error: unknown) => console.error('demo: dashboard:', error));
  }, TICK_MS);
  const stopRefresh = realtime.on('dashboard:refresh', ({ widgets }) => push(widgets));
  return {
    history: () => values,
    latest,
    stop() {
      clearInterval(timer);
      stopRefresh();
    },
  };
}

/** A random walk that stays around a mean. */
function towards(value: number, mean: number, spread: number): number {
  return Math.max(1, value + (mean - value) * 0.1 + (Math.random() - 0.5) * 2 * spread);
}
