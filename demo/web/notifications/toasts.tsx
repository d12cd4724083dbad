import type { NotificationItem } from 'ashlar/client';
import { useNotifications } from 'ashlar/react';
import { useEffect, useRef, useState } from 'react';
import { Icon } from '../shared/icon.tsx';

const SHOWN_MS = 6_000;
const AT_ONCE = 3;

/** Shows a notification for a moment when it comes, in a row of its own. What waited before the visit stays in the bell. */
export function Toasts() {
  const { state, notifications } = useNotifications();
  const [toasts, setToasts] = useState<readonly NotificationItem[]>([]);
  const [held, setHeld] = useState(false);
  const seen = useRef<Set<string> | null>(null);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (state !== 'ready') return;
    const known = seen.current;
    seen.current = new Set(notifications.map(({ id }) => id));
    if (known === null) return;
    const fresh = notifications.filter(({ id, read }) => !read && !known.has(id));
    if (fresh.length > 0) setToasts((before) => [...before, ...fresh.toReversed()].slice(-AT_ONCE));
  }, [state, notifications]);
  const dismiss = (id: string): void => setToasts((before) => before.filter((toast) => toast.id !== id));
  const close = (id: string): void => {
    const buttons = [...(list.current?.querySelectorAll<HTMLElement>('[data-close]') ?? [])];
    const at = buttons.findIndex(({ dataset }) => dataset.close === id);
    const next = buttons[at + 1] ?? buttons[at - 1];
    (next ?? document.getElementById('main'))?.focus();
    // One that goes tells nobody that pointer and focus have left it.
    setHeld(next !== undefined);
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
      <div role="status" aria-label="New notifications" ref={list}>
        {toasts.map((toast) => (
          <Toast key={toast.id} toast={toast} held={held} onEnd={() => dismiss(toast.id)} onClose={() => close(toast.id)} />
        ))}
      </div>
    </section>
  );
}

interface ToastProps {
  toast: NotificationItem;
  /** Somebody reads it: it stays. */
  held: boolean;
  onEnd: () => void;
  onClose: () => void;
}

function Toast({ toast, held, onEnd, onClose }: ToastProps) {
  const end = useRef(onEnd);
  useEffect(() => {
    end.current = onEnd;
  });
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => end.current(), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [held]);
  return (
    <div className="toast">
      <div>
        <strong>{toast.title}</strong>
        <p>{toast.message}</p>
      </div>
      <button
        type="button"
        className="button icon-button"
        aria-label={`Close “${toast.title}”`}
        title="Close"
        data-close={toast.id}
        onClick={onClose}
      >
        <Icon name="close" />
      </button>
    </div>
  );
}
