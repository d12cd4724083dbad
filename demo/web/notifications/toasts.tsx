import type { NotificationItem } from 'ashlar/client';
import { useNotifications } from 'ashlar/react';
import { useEffect, useRef, useState } from 'react';
import { Icon } from '../shared/icon.tsx';

const SHOWN_MS = 6_000;
const AT_ONCE = 3;

/** Notifications that say the same, shown as one. */
interface Told {
  /** The id of the first. */
  readonly key: string;
  readonly title: string;
  readonly message: string;
  /** Of those that are not read. */
  readonly ids: readonly string[];
}

/** Shows a notification for a moment when it comes, in a row of its own, until it is read. What waited before the visit stays in the bell. */
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
    const unread = new Set(notifications.flatMap(({ id, read }) => (read ? [] : [id])));
    const fresh = notifications.filter(({ id }) => unread.has(id) && !known.has(id));
    setToasts((before) => fresh.toReversed().reduce(told, stillUnread(before, unread)).slice(-AT_ONCE));
  }, [state, notifications]);
  // One that goes tells nobody that pointer and focus have left it; the focus goes on to the next.
  useEffect(() => {
    if (toasts.length === 0) setHeld(false);
  }, [toasts]);
  const dismiss = (key: string): void => setToasts((before) => before.filter((toast) => toast.key !== key));
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
            <Toast key={toast.key} toast={toast} held={held} onEnd={() => dismiss(toast.key)} />
          ))}
        </ul>
      </div>
    </section>
  );
}

function told(toasts: readonly Told[], { id, title, message }: NotificationItem): readonly Told[] {
  const same = toasts.find((toast) => toast.title === title && toast.message === message);
  if (same === undefined) return [...toasts, { key: id, title, message, ids: [id] }];
  return toasts.map((toast) => (toast === same ? { ...same, ids: [...same.ids, id] } : toast));
}

/** Without what was read meanwhile, here or on another device. */
function stillUnread(toasts: readonly Told[], unread: ReadonlySet<string>): readonly Told[] {
  return toasts.flatMap((toast) => {
    const ids = toast.ids.filter((id) => unread.has(id));
    return ids.length === 0 ? [] : [{ ...toast, ids }];
  });
}

interface ToastProps {
  toast: Told;
  /** Somebody reads it: it stays. */
  held: boolean;
  onEnd: () => void;
}

function Toast({ toast: { title, message, ids }, held, onEnd }: ToastProps) {
  const times = ids.length;
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
      <button type="button" className="button icon-button" aria-label={`Close “${title}”`} title="Close" onClick={onEnd}>
        <Icon name="close" />
      </button>
    </li>
  );
}
