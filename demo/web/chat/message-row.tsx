import type { ChatMessage } from 'ashlar/client';
import { findPerson } from '../../people.ts';
import { Avatar } from '../people/avatar.tsx';

const ASSISTANT = { name: 'Assistant', color: '#2b5f56' };

export interface MessageRowProps {
  message: ChatMessage;
  isOwn: boolean;
  onRetry: () => void;
  onDiscard: () => void;
}

/** A message, and what became of it. */
export function MessageRow({ message, isOwn, onRetry, onDiscard }: MessageRowProps) {
  const { content, sender, name, userId, timestamp, status } = message;
  const author = sender === 'assistant' ? ASSISTANT : { name: name ?? 'Somebody', color: findPerson(userId)?.color ?? '#5a6068' };
  return (
    <li className={isOwn ? 'message message-own' : 'message'} data-status={status}>
      <Avatar user={author} decorative />
      <div>
        <p className="message-head">
          <strong>{isOwn ? 'You' : author.name}</strong>{' '}
          <time dateTime={timestamp} className="muted">
            {new Date(timestamp).toLocaleTimeString('en', { hour: '2-digit', minute: '2-digit', hour12: false })}
          </time>
          {status === 'sending' ? <span className="muted"> sending…</span> : null}
        </p>
        <p className="message-text">{content}</p>
        {status === 'failed' ? (
          <div className="failure" data-focus-next="#chat-field">
            <span>Not sent</span>
            <button type="button" className="button" onClick={onRetry}>
              Try again
            </button>
            <button type="button" className="button" onClick={onDiscard}>
              Discard
            </button>
          </div>
        ) : null}
      </div>
    </li>
  );
}
