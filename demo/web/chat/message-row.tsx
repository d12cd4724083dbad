import type { ChatMessage } from 'ashlar/client';
import { memo, type Ref } from 'react';
import { findPerson } from '../../people.ts';
import { Avatar } from '../people/avatar.tsx';

const ASSISTANT = { name: 'Assistant', color: '#2b5f56' };

export interface MessageRowProps {
  /** Takes the row's element. */
  place: Ref<HTMLLIElement> | undefined;
  message: ChatMessage;
  isOwn: boolean;
  /** Both by the message's key, and the same function at each render. */
  retry: (key: string) => void;
  discard: (key: string) => void;
}

// Made once: a formatter costs more than all else of a row.
const CLOCK = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hour12: false });

/** A message, and what became of it. In a long chat a new one renders itself alone. */
export const MessageRow = memo(function MessageRow({ place, message, isOwn, retry, discard }: MessageRowProps) {
  const { key, content, sender, name, userId, timestamp, status } = message;
  const author = sender === 'assistant' ? ASSISTANT : { name: name ?? 'Somebody', color: findPerson(userId)?.color ?? '#5a6068' };
  return (
    <li ref={place} className={isOwn ? 'message message-own' : 'message'} data-status={status}>
      <Avatar user={author} decorative />
      <div>
        <p className="message-head">
          <strong>{isOwn ? 'You' : author.name}</strong>{' '}
          <time dateTime={timestamp} className="muted">
            {CLOCK.format(new Date(timestamp))}
          </time>
          {status === 'sending' ? <span className="muted"> sending…</span> : null}
        </p>
        <p className="message-text">{content}</p>
        {status === 'failed' ? (
          <div className="failure" data-focus-next="#chat-field">
            <span>Not sent</span>
            <button type="button" className="button" onClick={() => retry(key)}>
              Try again
            </button>
            <button type="button" className="button" onClick={() => discard(key)}>
              Discard
            </button>
          </div>
        ) : null}
      </div>
    </li>
  );
});
