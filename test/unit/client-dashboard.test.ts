import { expect, test } from 'vitest';
import { platformEnvironment } from '../../client/environment.ts';
import { createDashboard } from '../../client/features/dashboard.ts';
import { fakeFeatureClient } from '../support/fake-feature-client.ts';

test('a dashboard shows its own widgets, and once nobody looks at it is no longer live', async () => {
  const { client, room, tell } = fakeFeatureClient();
  const dashboard = createDashboard(client, ['sales'], { environment: { ...platformEnvironment(), now: () => 5_000 } });
  const stop = dashboard.subscribe(() => {});
  expect(dashboard.get()).toEqual({ widgets: {}, live: false, staleSince: null });
  room('dashboard').set({ state: 'joined', access: 'read', recovered: true, reason: undefined });
  for (const widgetId of ['sales', 'costs']) {
    tell('dashboard:update', { widgetId, value: 7, timestamp: '2026-01-01T00:00:00Z' }, { room: 'dashboard' });
  }
  expect(dashboard.get()).toEqual({
    widgets: { sales: { value: 7, timestamp: '2026-01-01T00:00:00Z' } },
    live: true,
    staleSince: null,
  });
  stop();
  await new Promise((resolve) => setImmediate(resolve));
  expect(dashboard.get()).toMatchObject({ widgets: { sales: { value: 7 } }, live: false, staleSince: 5_000 });
});
