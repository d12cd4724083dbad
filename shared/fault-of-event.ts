const EVENT_NAME = /^[a-z][a-z0-9-]*(:[a-z][a-z0-9-]*)+$/;
const ROOM_PATTERN = /^[^*]+\*?$|^\*$/;
const CLASSES: readonly unknown[] = ['log', 'state', 'ephemeral', 'request'];
const SENDERS: readonly unknown[] = ['backend', 'client'];
const FIELDS = ['name', 'room', 'roomOf', 'sentBy', 'payload', 'input', 'delivery', 'version', 'upcast'];

/**
 * What is wrong with an event's declaration, which may come from JavaScript.
 * @returns one sentence that names the event, the field and what is allowed; undefined: nothing
 */
export function faultOfEvent(declaration: unknown): string | undefined {
  if (!isObject(declaration)) return 'an event: an object for defineEvent';
  const { name, room, roomOf, sentBy, payload, input, delivery, version = 1, upcast } = declaration;
  if (typeof name !== 'string' || !EVENT_NAME.test(name))
    return `event name ${JSON.stringify(name) ?? 'undefined'}: use the form feature:what, in lower case`;
  const wrong = (field: string, allowed: string) => `event ${name}: ${field}: ${allowed}`;
  const extra = Object.keys(declaration).find((field) => !FIELDS.includes(field));
  if (extra !== undefined) return wrong(extra, `no such field; there are ${FIELDS.join(', ')}`);
  const rooms: readonly unknown[] = Array.isArray(room) ? room : [room];
  if (rooms.length === 0 || !rooms.every((one) => typeof one === 'string' && ROOM_PATTERN.test(one)))
    return wrong('room', 'a room, the beginning of one and `*`, or a list of these');
  if (!isFunctionOrNone(roomOf)) return wrong('roomOf', 'a function of the payload that gives a room');
  if (!Array.isArray(sentBy) || sentBy.length === 0 || !sentBy.every((one) => SENDERS.includes(one)))
    return wrong('sentBy', 'a list of `backend` and `client`');
  if (!isSchema(payload)) return wrong('payload', 'a zod 4 schema');
  if (input !== undefined && !isSchema(input)) return wrong('input', 'a zod 4 schema');
  if (!isObject(delivery) || !CLASSES.includes(delivery.class)) return wrong('delivery.class', `one of ${CLASSES.join(', ')}`);
  if (delivery.class === 'state' && typeof delivery.key !== 'function')
    return wrong('delivery.key', 'a function of the payload that gives the key of the value');
  const more = Object.keys(delivery).find((field) => field !== 'class' && (field !== 'key' || delivery.class !== 'state'));
  if (more !== undefined) return wrong(`delivery.${more}`, 'no such field; there is class, and for the class state key');
  if (!Number.isSafeInteger(version) || (version as number) < 1) return wrong('version', 'a whole number from 1');
  if (!isFunctionOrNone(upcast)) return wrong('upcast', 'a function of an older payload and its version');
  if ((version as number) > 1 && upcast === undefined)
    return `event ${name}: version ${version} needs an upcast for older records`;
  return undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Whether a value is a schema of zod 4, or zod/mini. */
export function isSchema(value: unknown): boolean {
  return isObject(value) && isObject(value._zod);
}

function isFunctionOrNone(value: unknown): boolean {
  return value === undefined || typeof value === 'function';
}
