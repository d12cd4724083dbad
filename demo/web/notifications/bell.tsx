import { useNotifications } from 'ashlar/react';
import { useRef } from 'react';
import { Icon } from '../shared/icon.tsx';
import { usePopover } from '../shared/use-popover.ts';

/** The bell with what is unread, and the list below it. */
export function Bell() {
  const { notifications, unread, markRead, markAllRead } = useNotifications();
  const { isOpen, toggle, box, button } = usePopover();
  const list = useRef<HTMLElement>(null);
  // The button that was pressed goes, and the focus with it: on to the next unread one, else the one before, else the list.
  const read = (id: string): void => {
    const buttons = [...(list.current?.querySelectorAll<HTMLElement>('[data-read]') ?? [])];
    const at = buttons.findIndex(({ dataset }) => dataset.read === id);
    (buttons[at + 1] ?? buttons[at - 1] ?? list.current)?.focus();
    void markRead(id);
  };
  return (
    <div className="bell" ref={box}>
      <button
        ref={button}
        type="button"
        className="button icon-button"
        aria-label={`Notifications, ${unread} unread`}
        aria-expanded={isOpen}
        onClick={toggle}
      >
        <Icon name="bell" />
        {unread === 0 ? null : (
          <span className="badge" aria-hidden="true">
            {unread > 99 ? '99+' : unread}
          </span>
        )}
      </button>
      {isOpen ? (
        <section className="popover" aria-label="Notifications" ref={list} tabIndex={-1}>
          <div className="row-head">
            <h2>Notifications</h2>
            <button type="button" className="button" aria-disabled={unread === 0} onClick={() => void markAllRead()}>
              Mark all read
            </button>
          </div>
          {notifications.length === 0 ? <p className="muted">Nothing new.</p> : null}
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
          <ul className="rows" tabIndex={0}>
            {notifications.map(({ id, title, message, timestamp, read: isRead }) => (
              <li key={id} className={isRead ? 'notification' : 'notification notification-unread'}>
                <div>
                  <strong>{title}</strong>
                  <p>{message}</p>
                  <time dateTime={timestamp} className="muted">
                    {new Date(timestamp).toLocaleTimeString('en', { hour: '2-digit', minute: '2-digit', hour12: false })}
                  </time>
                </div>
                {isRead ? null : (
                  <button
                    type="button"
                    className="button"
                    aria-label={`Mark read: ${title}`}
                    data-read={id}
                    onClick={() => read(id)}
                  >
                    Mark read
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
