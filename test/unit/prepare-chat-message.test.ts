import { describe, expect, test } from 'vitest';
import { prepareChatMessage } from '../../server/events/prepare-chat-message.ts';
import { chatMessage } from '../../shared/catalog.ts';
import { AshlarError } from '../../shared/errors.ts';
import { parsePayload } from '../../shared/parse-payload.ts';
import { createManualClock } from '../support/manual-clock.ts';

const anna = { id: 'anna', name: 'Anna Ek', color: '#123456' };

describe('a chat message', () => {
  test('[4] gets id, time and sender from the server, and name and user id from the token', () => {
    const clock = createManualClock({ now: Date.UTC(2026, 1, 3, 4, 5, 6, 7) });
    const forged = { sessionId: 's1', content: 'hello', userId: 'bob', name: 'Bob', sender: 'assistant', id: 'mine' };
    const message = prepareChatMessage(forged as { sessionId: string; content: string }, anna, clock);
    expect(message).toEqual({
      id: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/),
      sessionId: 's1',
      content: 'hello',
      sender: 'user',
      timestamp: '2026-02-03T04:05:06.007Z',
      userId: 'anna',
      name: 'Anna Ek',
    });
    expect(parsePayload(chatMessage.payload, message, 'chat:message')).toEqual(message);
    expect(prepareChatMessage(forged, anna, clock).id).not.toBe(message.id);
  });

  test.each(['  two\n\tlines  ', '<b>&amp;</b>', '👩‍💻 \u202bمرحبا\u202c', '\u00a0', '{"a":1}'])(
    'keeps %j exactly',
    (content) => {
      expect(prepareChatMessage({ sessionId: 's', content }, anna, createManualClock()).content).toBe(content);
    },
  );

  test.each(['a\u0000b', '\u001b[2J', '\u007f', '\u0085', '\ud83d', 'x\udc00y'])('is refused with %j in it', (content) => {
    const prepare = () => prepareChatMessage({ sessionId: 's', content }, anna, createManualClock());
    expect(prepare).toThrow(AshlarError);
    expect(prepare).toThrow(/chat:message at content/);
  });
});
