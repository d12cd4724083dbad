import { AshlarError, type ChatMessage } from 'ashlar/client';
import { type Chat, useChat } from 'ashlar/react';
import { type FormEvent, useRef, useState } from 'react';
import { useConnectionTrouble } from '../connection/connection-state.tsx';
import { usePerson } from '../shared/person-context.ts';
import { sayWhen, sayWhy } from '../shared/say-why.ts';
import { MessageRow } from './message-row.tsx';
import { useLogScroll } from './use-log-scroll.ts';

/** The team's chat: history, who types, and messages that wait for the network. */
export function ChatPanel() {
  const { id: ownId } = usePerson();
  const chat = useChat('team');
  const { messages, hasOlder, loadingOlder, typing, state, error, send, retry, discard, loadOlder, setTyping } = chat;
  const trouble = useConnectionTrouble();
  const [draft, setDraft] = useState('');
  const [olderFailure, setOlderFailure] = useState('');
  const { list, first, onScroll } = useLogScroll(messages);
  const field = useRef<HTMLInputElement>(null);
  const older = async (): Promise<void> => {
    setOlderFailure('');
    try {
      await loadOlder();
    } catch (error) {
      setOlderFailure(whyNoOlder(error));
    }
  };
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
      <div className="messages" ref={list} onScroll={onScroll} tabIndex={0} role="log" aria-label="Messages">
        {messages.length === 0 ? <p className="empty">{whyEmpty(chat, trouble)}</p> : null}
        <ol>
          {hasOlder ? (
            <li className="older">
              <button type="button" className="button" aria-disabled={loadingOlder} onClick={() => void older()}>
                Older messages
              </button>
            </li>
          ) : null}
          {messages.map((message, index) => (
            <MessageRow
              key={message.key}
              place={index === 0 ? first : undefined}
              message={message}
              isOwn={message.userId === ownId}
              retry={retry}
              discard={discard}
            />
          ))}
        </ol>
      </div>
      <p className="typing muted" role="status" aria-label="Who types">
        {state === 'refused'
          ? `The chat is closed to you: ${sayWhy(error?.code ?? 'access-denied')}.`
          : whyNotWhole(chat, trouble) || typingLine(names)}
      </p>
      <p className="failure" role="alert">
        {whyFailed(messages) || olderFailure}
      </p>
      <form onSubmit={submit}>
        <input
          ref={field}
          id="chat-field"
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

/** Only a history that was read says that nothing was said. */
function whyEmpty({ state, error }: Chat, trouble: string | null): string {
  if (state === 'refused') return '';
  if (state === 'ready' && error === null) return 'Nothing said yet. What you write goes to everybody.';
  if (trouble !== null) return 'The messages have not been loaded. They come when the connection is back.';
  return error === null ? 'Loading the messages…' : `The messages could not be loaded: ${sayWhy(error.code)}.`;
}

/** What is missing above messages that stand there: those that are on their way say nothing of it. */
function whyNotWhole({ messages, state, error }: Chat, trouble: string | null): string {
  return messages.length > 0 && state !== 'ready' && error !== null && trouble === null
    ? `The messages before could not be loaded: ${sayWhy(error.code)}.`
    : '';
}

/** One line for all that failed: said once, not with each message. */
function whyFailed(messages: readonly ChatMessage[]): string {
  const errors = messages.flatMap(({ status, error }) => (status === 'failed' && error !== null ? [error] : []));
  const reasons = new Set(errors.map(({ code }) => sayWhy(code)));
  return reasons.size === 0 ? '' : `Not sent: ${[...reasons].join('; ')}. ${sayWhen(errors)}`.trim();
}

function whyNoOlder(error: unknown): string {
  const why = AshlarError.from(error);
  return `The older messages could not be loaded: ${sayWhy(why.code)}. ${sayWhen([why])}`.trim();
}

function typingLine(names: readonly string[]): string {
  if (names.length === 0) return '';
  return `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} typing…`;
}
