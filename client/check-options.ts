import { AshlarError } from '../shared/errors.ts';

/** What an option may be: words that name its kinds, and a pattern that its text must match. */
export type Allowed = readonly [words: string, pattern?: RegExp];

/** The options of one function, by name. */
export type Options = Readonly<Record<string, Allowed>>;

// Infinity too.
const COUNT: Allowed = ['number from 1', /^[1-9I]/];

/** What a client without documents takes. */
export const EVENT_CLIENT_OPTIONS: Options = {
  url: ['string such as https://app.example.com', /^(http|ws)s?:\/\/[^\s/?#]+\/?$/],
  token: ['string or function'],
  transports: ['list of websocket, polling', /^((websocket|polling),?)+$/],
  path: ['string such as /socket.io/', /^\//],
  maxAttempts: COUNT,
  events: ['list of events'],
  onError: ['function'],
  maxPending: COUNT,
  emitTimeoutMs: COUNT,
  environment: ['object'],
};

/**
 * Checks options, which may come from JavaScript. By hand: a schema library would be in every page.
 * @throws AshlarError `invalid-options`; its detail names the option, what is allowed and what was given. Of an object only its kind, and of an
 *   option that is none: it may be a misspelt token
 */
export function checkOptions(given: object, options: Options): void {
  for (const [name, value] of Object.entries(given)) {
    const allowed = options[name];
    const kind = Array.isArray(value) ? 'list' : typeof value;
    if (allowed !== undefined && value === undefined) continue;
    const [words, pattern] = allowed ?? [`none of ${Object.keys(options).join(', ')}`];
    if (allowed !== undefined && value !== null && words.includes(kind) && pattern?.test(value) !== false) continue;
    const shown = allowed === undefined || Object(value) === value ? kind : `${kind} ${String(value)}`;
    throw new AshlarError('invalid-options', { detail: `${name}: ${words} (given: ${shown})` });
  }
}
