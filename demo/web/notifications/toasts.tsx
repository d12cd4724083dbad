import type { NotificationItem } from 'ashlar/client';
import { useNotifications } from 'ashlar/react';
import { useEffect, useRef, useState } from 'react';
import { Icon } from '../shared/icon.tsx';

const SHOWN_MS = 6_000;
const AT_ONCE = 3;

/** Notifications that say the same, shown as one. */
interface Told {
  /** Of the first. */
  readonly id: string;
  readonly title: string;
  readonly message: string;
  readonly times: number;
}

/** Shows a notification for a moment when it comes, in a row of its own. What waited before the visit stays in the bell. */
export function Toasts() {
  const { state, notifications } = useNotifications();
  const [toasts, setToasts] = useState<readonly Told[]>([]);
  const [held, setHeld] = useState(false);
  const seen = useRef<Set<string> | null>(null);
  useEffect(() => {
    if (state !== 'ready') return;
    const known = seen.current;
    seen.current = new Set(notifications.map(({ id }) => id));
    if (known === null) return;
    const fresh = notifications.filter(({ id, read }) => !read && !known.has(id));
    if (fresh.length > 0) setToasts((before) => fresh.toReversed().reduce(told, before).slice(-AT_ONCE));
  }, [state, notifications]);
  const dismiss = (id: string): void => setToasts((before) => before.filter((toast) => toast.id !== id));
  const close = (id: string): void => {
    // One that goes tells nobody that pointer and focus have left it; the focus goes on to the next.
    setHeld(toasts.length > 1);
    dismiss(id);
  };
  return (
    <section
      className="toasts"
      aria-label="Just now"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <div role="status" aria-label="New notifications" data-focus-next="#main">
        <ul>
          {toasts.map((toast) => (
            <Toast key={toast.id} toast={toast} held={held} onEnd={() => dismiss(toast.id)} onClose={() => close(toast.id)} />
          ))}
        </ul>
      </div>
    </section>
  );
}

function told(toasts: readonly Told[], { id, title, message }: NotificationItem): readonly Told[] {
  const same = toasts.find((toast) => toast.title === title && toast.message === message);
  if (same === undefined) return [...toasts, { id, title, message, times: 1 }];
  return toasts.map((toast) => (toast === same ? { ...same, times: same.times + 1 } : toast));
}

interface ToastProps {
  toast: Told;
  /** Somebody reads it: it stays. */
  held: boolean;
  onEnd: () => void;
  onClose: () => void;
}

function Toast({ toast: { title, message, times }, held, onEnd, onClose }: ToastProps) {
  const end = useRef(onEnd);
  useEffect(() => {
    end.current = onEnd;
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: each time it is told again it stays as long as a new one.
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => end.current(), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [held, times]);
  return (
    <li className="toast">
      <div>
        <strong>{title}</strong> {times === 1 ? null : <span className="muted">×{times}</span>}
        <p>{message}</p>
      </div>
      <button type="button" className="button icon-button" aria-label={`Close “${title}”`} title="Close" onClick={onClose}>
        <Icon name="close" />
      </button>
    </li>
  );
}
