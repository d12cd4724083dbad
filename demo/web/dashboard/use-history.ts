import { useConnectionStatus, useWebSocket } from 'ashlar/react';
import { useEffect, useState } from 'react';
import { HISTORY_POINTS, type WidgetId } from '../../widgets.ts';
import { askBackend } from '../shared/ask-backend.ts';
import { usePerson } from '../shared/person-context.ts';

type History = Readonly<Record<WidgetId, readonly number[]>>;
const NOTHING: History = { visitors: [], orders: [], revenue: [], latency: [] };

/** The last minute of each number: from the backend at each connection, and then as the numbers tick. */
export function useHistory(): History {
  const { id } = usePerson();
  const [history, setHistory] = useState(NOTHING);
  const connection = useConnectionStatus((status) => (status.state === 'connected' ? status.id : null));
  useEffect(() => {
    if (connection === null) return;
    let wanted = true;
    askBackend<History>(id, 'GET', 'dashboard').then(
      (answer) => {
        if (wanted) setHistory(answer);
      },
      // The chart grows from what ticks.
      () => {},
    );
    return () => {
      wanted = false;
    };
  }, [id, connection]);
  useWebSocket('dashboard:update', ({ widgetId, value }) => {
    setHistory((before) => {
      const points = before[widgetId as WidgetId];
      return points === undefined ? before : { ...before, [widgetId]: [...points, value].slice(-HISTORY_POINTS) };
    });
  });
  return history;
}
