import { useChat } from 'ashlar/react';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { usePerson } from '../shared/person-context.ts';
import { MessageRow } from './message-row.tsx';

/** The team's chat: history, who types, and messages that wait for the network. */
export function ChatPanel() {
  const { id: ownId } = usePerson();
  const { messages, hasOlder, loadingOlder, typing, state, error, send, retry, discard, loadOlder, setTyping } = useChat('team');
  const [draft, setDraft] = useState('');
  const list = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const newest = messages.at(-1)?.key;
  useEffect(() => {
    if (newest !== undefined) list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [newest]);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    send(draft);
    setDraft('');
    // The button has nothing to send now.
    field.current?.focus();
  };
  const write = (text: string): void => {
    setDraft(text);
    setTyping(text !== '');
  };
  const names = typing.map(({ name }) => name ?? 'The assistant');
  return (
    <section className="chat" aria-labelledby="chat-title">
      <h2 id="chat-title">Team chat</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <div className="messages" ref={list} tabIndex={0} role="log" aria-label="Messages">
        {messages.length === 0 ? <p className="empty">Nothing said yet. What you write goes to everybody.</p> : null}
        <ol>
          {hasOlder ? (
            <li className="older">
              <button type="button" className="button" disabled={loadingOlder} onClick={() => void loadOlder()}>
                Older messages
              </button>
            </li>
          ) : null}
          {messages.map((message) => (
            <MessageRow
              key={message.key}
              message={message}
              isOwn={message.userId === ownId}
              onRetry={() => retry(message.key)}
              onDiscard={() => discard(message.key)}
            />
          ))}
        </ol>
      </div>
      <p className="typing muted" role="status" aria-label="Who types">
        {state === 'refused' ? `The chat is closed to you: ${error?.message ?? ''}` : typingLine(names)}
      </p>
      <form onSubmit={submit}>
        <input
          ref={field}
          value={draft}
          onChange={({ target }) => write(target.value)}
          onBlur={() => setTyping(false)}
          placeholder="Write to the team"
          aria-label="Message"
          aria-describedby="chat-hint"
          maxLength={2_000}
          autoComplete="off"
        />
        <button type="submit" className="button button-primary" disabled={draft.trim() === ''}>
          Send
        </button>
      </form>
      <p className="muted chat-hint" id="chat-hint">
        Begin with @assistant to ask it.
      </p>
    </section>
  );
}

function typingLine(names: readonly string[]): string {
  if (names.length === 0) return '';
  return `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} typing…`;
}
