import type { HonoRequest } from 'hono';
import { AshlarError } from '../../shared/errors.ts';
import type { PublishRequest } from './ports.ts';
import { IdempotencyKey, MAX_EVENTS, PublishEvent } from './schemas.ts';

/** Deepest nesting of objects and lists. Far beyond what an event needs; far below where writing it as JSON again runs out of stack. */
const MAX_DEPTH = 64;

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

/**
 * Reads a JSON body, and nothing of its meaning.
 * @param maxBytes beyond it nothing is read
 * @throws AshlarError `unsupported-media-type` | `too-large` | `invalid-payload`
 */
export async function readJson(request: HonoRequest, maxBytes: number): Promise<unknown> {
  if (!JSON_TYPE.test(request.header('content-type') ?? '')) {
    throw new AshlarError('unsupported-media-type', { detail: 'send the header Content-Type: application/json' });
  }
  const text = await readText(request, maxBytes);
  if (isDeeperThan(text, MAX_DEPTH))
    throw new AshlarError('invalid-payload', { detail: `nested deeper than ${MAX_DEPTH} levels` });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AshlarError('invalid-payload', { cause, detail: 'the body is not JSON' });
  }
}

// Hono's own limit makes a second Request of a body that does not say how long it is, which Node's does not take from its adapter.
async function readText(request: HonoRequest, maxBytes: number): Promise<string> {
  const tooLarge = () => new AshlarError('too-large', { detail: `a body holds at most ${maxBytes} bytes` });
  const announced = request.header('transfer-encoding') === undefined ? request.header('content-length') : undefined;
  // Node hands out no more than was announced.
  if (announced !== undefined) {
    if (Number(announced) > maxBytes) throw tooLarge();
    return request.text();
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.raw.body ?? []) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

/** Whether a JSON text opens more brackets inside each other than allowed. Believes nothing of the text but its strings' quotes. */
function isDeeperThan(text: string, limit: number): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit === 0x22) inString = !inString;
    else if (inString) index += unit === 0x5c ? 1 : 0;
    else if (unit === 0x5b || unit === 0x7b) {
      depth += 1;
      if (depth > limit) return true;
    } else if (unit === 0x5d || unit === 0x7d) depth -= 1;
  }
  return false;
}

/**
 * How many events a body claims to hold, before any is looked at.
 * @throws AshlarError `invalid-payload` beyond 1,000 and for an empty list
 */
export function countEvents(body: unknown): number {
  const count = Array.isArray(body) ? body.length : 1;
  if (count >= 1 && count <= MAX_EVENTS) return count;
  throw new AshlarError('invalid-payload', { detail: `a list holds 1 to ${MAX_EVENTS} events, this one ${count}` });
}

/**
 * The events of a body: of all or of none.
 * @throws AshlarError `invalid-payload`; its detail names the event's index and what is wrong with it
 */
export function parseEvents(body: unknown): PublishRequest[] {
  if (!Array.isArray(body)) return [parseEvent(body, 'event')];
  return body.map((event, index) => parseEvent(event, `event ${index}`));
}

function parseEvent(value: unknown, what: string): PublishRequest {
  const result = PublishEvent.safeParse(value);
  if (!result.success) {
    const issue = result.error.issues[0];
    const path = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
    throw new AshlarError('invalid-payload', { detail: `${what}${path}: ${issue?.message ?? 'does not fit'}` });
  }
  const { event, data, room, userId } = result.data;
  return { event, data, ...(room === undefined ? {} : { room }), ...(userId === undefined ? {} : { userId }) };
}

/** The Idempotency-Key header; undefined where there is none. @throws AshlarError `invalid-payload` */
export function readIdempotencyKey(request: HonoRequest): string | undefined {
  const header = request.header('idempotency-key');
  if (header === undefined) return undefined;
  const result = IdempotencyKey.safeParse(header);
  if (result.success) return result.data;
  throw new AshlarError('invalid-payload', { detail: 'Idempotency-Key: 1 to 255 visible ASCII characters' });
}

/** The token of `Authorization: Bearer <token>`; undefined where there is none. */
export function readBearer(request: HonoRequest): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(request.header('authorization') ?? '')?.[1];
}
