import { useNotifications } from 'ashlar/react';
import { useEffect, useRef, useState } from 'react';
import { Icon } from '../shared/icon.tsx';

/** The bell with what is unread, and the list below it. */
export function Bell() {
  const { notifications, unread, markRead, markAllRead } = useNotifications();
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    const onPointer = ({ target }: PointerEvent): void => {
      if (target instanceof Node && !box.current?.contains(target)) setOpen(false);
    };
    const onKey = ({ key }: KeyboardEvent): void => {
      if (key !== 'Escape') return;
      setOpen(false);
      button.current?.focus();
    };
    document.addEventListener('pointerdown', onPointer);
    document.addEventListener('keydown', onKey);
    return () => {
      document.removeEventListener('pointerdown', onPointer);
      document.removeEventListener('keydown', onKey);
    };
  }, [open]);
  return (
    <div className="bell" ref={box}>
      <button
        ref={button}
        type="button"
        className="button icon-button"
        aria-label={`Notifications, ${unread} unread`}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <Icon name="bell" />
        {unread === 0 ? null : (
          <span className="badge" aria-hidden="true">
            {unread > 99 ? '99+' : unread}
          </span>
        )}
      </button>
      {open ? (
        <section className="popover" aria-label="Notifications">
          <div className="row-head">
            <h2>Notifications</h2>
            <button type="button" className="button" disabled={unread === 0} onClick={() => void markAllRead()}>
              Mark all read
            </button>
          </div>
          {notifications.length === 0 ? <p className="muted">Nothing new.</p> : null}
          <ul className="rows">
            {notifications.map(({ id, title, message, timestamp, read }) => (
              <li key={id} className={read ? 'notification' : 'notification notification-unread'}>
                <div>
                  <strong>{title}</strong>
                  <p>{message}</p>
                  <time dateTime={timestamp} className="muted">
                    {new Date(timestamp).toLocaleTimeString('en', { hour: '2-digit', minute: '2-digit', hour12: false })}
                  </time>
                </div>
                {read ? null : (
                  <button type="button" className="button" aria-label={`Mark “${title}” read`} onClick={() => void markRead(id)}>
                    Read
                  </button>
                )}
              </li>
            ))}
          </ul>
        </section>
      ) : null}
    </div>
  );
}
