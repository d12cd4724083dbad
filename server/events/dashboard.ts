import type * as z from 'zod/mini';
import { dashboardRefresh, dashboardUpdate } from '../../shared/catalog.ts';
import type { Rule } from '../guard/guard.ts';
import { encodeState } from '../rooms/fan-out.ts';
import { stateKey } from '../rooms/room.ts';
import type { EventPorts } from './event-ports.ts';
import { eventRule } from './event-rule.ts';

/** `dashboard:refresh`: answered from the room's state, to the asker alone; the product's hook may push newer values. */
export function registerDashboard({ guard, rooms, hooks }: EventPorts): void {
  const rule = eventRule(dashboardRefresh) as Rule<z.output<typeof dashboardRefresh.input>>;
  guard.handle(rule, async ({ connection, user, room: name, payload }) => {
    const room = await rooms.open(name);
    const states = payload.widgets.flatMap((widget) => room.states.get(stateKey(dashboardUpdate.name, widget)) ?? []);
    return {
      answer: { found: states.length },
      after: () => {
        for (const state of states) {
          const packet = encodeState(room, state);
          if (packet !== null && !connection.closed) connection.outbox.force(packet);
        }
        hooks.emit('dashboard:refresh', { user, widgets: payload.widgets });
      },
    };
  });
}
