import type { NotificationItem } from 'ashlar/client';
import { useNotifications } from 'ashlar/react';
import { useEffect, useRef, useState } from 'react';

const SHOWN_MS = 6_000;
const AT_ONCE = 3;

/** Shows a notification for a moment when it comes. What waited before the visit stays in the bell. */
export function Toasts() {
  const { state, notifications } = useNotifications();
  const [toasts, setToasts] = useState<readonly NotificationItem[]>([]);
  const seen = useRef<Set<string> | null>(null);
  useEffect(() => {
    if (state !== 'ready') return;
    const known = seen.current;
    seen.current = new Set(notifications.map(({ id }) => id));
    if (known === null) return;
    const fresh = notifications.filter(({ id, read }) => !read && !known.has(id));
    if (fresh.length > 0) setToasts((before) => [...before, ...fresh.toReversed()].slice(-AT_ONCE));
  }, [state, notifications]);
  const dismiss = (id: string): void => setToasts((before) => before.filter((toast) => toast.id !== id));
  return (
    <div className="toasts" role="status" aria-label="New notifications">
      {toasts.map((toast) => (
        <Toast key={toast.id} toast={toast} onEnd={() => dismiss(toast.id)} />
      ))}
    </div>
  );
}

function Toast({ toast, onEnd }: { toast: NotificationItem; onEnd: () => void }) {
  const end = useRef(onEnd);
  useEffect(() => {
    end.current = onEnd;
  });
  useEffect(() => {
    const timer = setTimeout(() => end.current(), SHOWN_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className="toast">
      <strong>{toast.title}</strong>
      <p>{toast.message}</p>
    </div>
  );
}
