import { MAX_DEPTH, MAX_ID, MAX_TEXT, MAX_WIDGETS } from '../shared/catalog-facts.ts';
import type { EventFacts, PayloadSchema } from '../shared/define-event.ts';
import { AshlarError } from '../shared/errors.ts';
import { isRecord } from './connector.ts';

/** An event as a client knows it: Ashlar's own without their schemas, a product's with them. */
export interface ClientEvent extends EventFacts {
  readonly input?: PayloadSchema<unknown>;
}

export type ClientCatalog = ReadonlyMap<string, ClientEvent>;

type Fields = Readonly<Record<string, unknown>>;

const isText = (value: unknown, most: number) => typeof value === 'string' && value !== '' && value.length <= most;

// By hand: with their schemas, the library behind them would be in every frontend's bundle. The server checks by the schemas.
const OWN: Readonly<Record<string, (input: Fields) => boolean>> = {
  'dashboard:refresh': ({ widgets }) =>
    Array.isArray(widgets) && widgets.length <= MAX_WIDGETS && widgets.every((widget) => isText(widget, MAX_ID)),
  'chat:message': ({ sessionId, content }) => isText(sessionId, MAX_ID) && isText(content, MAX_TEXT),
  'chat:typing': ({ sessionId, isTyping }) => isText(sessionId, MAX_ID) && typeof isTyping === 'boolean',
};

/**
 * Checks what a client is about to send, so that a mistake is told at once, also offline. It goes as it is: what the schema makes of it, the server
 * does; twice would be wrong.
 * @throws AshlarError `invalid-payload`
 */
export function checkInput({ name, input }: ClientEvent, data: unknown): void {
  const own = OWN[name];
  if (own !== undefined) {
    if (typeof data === 'object' && data !== null && own(data as Fields)) return;
    throw new AshlarError('invalid-payload', { detail: `${name} does not fit its schema` });
  }
  // Through Standard Schema, so that the schema brings its own library. One that answers later the server refuses.
  const result = input?.['~standard'].validate(data);
  if (result === undefined || result instanceof Promise || result.issues === undefined) return;
  const [issue] = result.issues;
  const path = (issue?.path ?? []).map((step) => String(typeof step === 'object' ? step.key : step)).join('.');
  throw new AshlarError('invalid-payload', {
    detail: `${name}${path === '' ? '' : ` at ${path}`}: ${issue?.message ?? 'does not fit its schema'}`,
  });
}

/**
 * Checks that JSON can hold a payload. What the schema lets pass and JSON drops, a function say, is dropped.
 * @throws AshlarError `invalid-payload`, for undefined, a cycle, a BigInt, too deep nesting, or a `toJSON` that throws
 */
export function checkJson(name: string, input: unknown): void {
  let cause: unknown;
  try {
    if (fits(JSON.parse(JSON.stringify(input)), MAX_DEPTH)) return;
  } catch (error) {
    cause = error;
  }
  throw new AshlarError('invalid-payload', { detail: `${name} is not JSON of at most ${MAX_DEPTH} levels`, cause });
}

/** Whether arrays and objects in a tree nest at most so deep. */
function fits(value: unknown, most: number): boolean {
  return !isRecord(value) || (most > 0 && Object.values(value).every((entry) => fits(entry, most - 1)));
}
