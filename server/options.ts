import type { Logger } from 'pino';
import * as z from 'zod';
import { ACCESS_LEVELS, type Access } from '../shared/access.ts';
import type { Events } from '../shared/catalog.ts';
import { MAX_PARTS } from '../shared/document-frame.ts';
import { AshlarError } from '../shared/errors.ts';
import type { RoomName } from '../shared/room-name.ts';
import type { User } from '../shared/user.ts';
import { isRoomPattern } from './guard/claims.ts';
import { isAddressRange } from './guard/client-address.ts';
import { checkKeysUrl } from './guard/remote-keys.ts';
import { KeySetting, SECRET_ALGORITHMS } from './guard/token-keys.ts';
import { passes } from './passes.ts';
import { isOrigin, normalizeOrigin } from './sockets/origin.ts';
import type { Store } from './storage/store.ts';

const access = z.enum(ACCESS_LEVELS);
const positive = z.int('a whole number from 1').positive('a whole number from 1');
const count = z.int('a whole number from 0').nonnegative('a whole number from 0');

/** What a part of an update takes of its frame beside its bytes, as clients reckon. */
const PART_OVERHEAD_BYTES = 64;

/** How much one sender may do. Each is a token bucket: `burst` at once, refilled at the rate given. */
export const Limits = z
  .strictObject({
    eventsPerMinute: positive.default(100).describe('domain events from clients, per socket and per user'),
    joinsPerMinute: positive.default(600).describe('joins, leaves and other questions, per socket'),
    publishesPerMinute: positive.default(600_000).describe('events published over HTTP, per user of the token'),
    roomsPerSocket: positive.default(100).describe('rooms that one socket may be in'),
    handshakesPerMinute: positive.default(600).describe('refused handshakes per address before it must wait'),
    connectionsPerAddress: positive.default(10_000).describe('open connections per address'),
    packetsPerSecond: positive.default(2_000).describe('engine packets per socket; burst is ten times that'),
    bytesPerSecond: positive.default(2_000_000).describe('bytes received per socket; see byteBurst'),
    byteBurst: positive
      .default(32_000_000)
      .describe('bytes that a socket may send at once, and that of one user wait for a slow disk at most'),
    structsPerSecond: positive.default(10_000).describe('Yjs structs in document updates, per socket'),
    structBurst: positive.default(200_000).describe('Yjs structs at once, per socket'),
    structsPerUpdate: positive
      .default(200_000)
      .describe('Yjs structs in one update; a full step may have ten times that. Values in arrays and objects: five times that'),
    awarenessPerSecond: positive.default(60).describe('awareness messages per socket'),
    updateBytes: positive.default(16_000_000).describe('largest document update, put together from its parts'),
    frameBytes: positive.default(256_000).describe('largest document frame; larger updates go in parts, at most 4,096 of them'),
    queueBytes: positive.default(4_000_000).describe('bytes waiting for one slow receiver'),
    connectTimeoutMs: positive.default(5_000).describe('time from handshake to an accepted CONNECT'),
  })
  .refine(({ updateBytes, frameBytes }) => updateBytes <= MAX_PARTS * (frameBytes - PART_OVERHEAD_BYTES), {
    path: ['frameBytes'],
    error: `as much as updateBytes needs, which comes in at most ${MAX_PARTS} frames`,
  })
  .prefault({});
export type Limits = z.output<typeof Limits>;

const Retention = z.strictObject({
  maxRecords: positive.optional().describe('newest records kept per room'),
  maxAgeMs: positive.optional().describe('age at which a record is cut, ms'),
});

const RetainedStates = z.strictObject({
  maxRecords: positive.optional().describe('newest state values kept per room'),
  maxAgeMs: positive.optional().describe('age at which a state value that was not replaced is cut, ms'),
});

/** What can be written in a file or an environment variable: everything but functions and objects of the product's. */
export const Settings = z.strictObject({
  jwtSecret: z
    .string()
    .min(32, 'at least 32 bytes')
    .optional()
    .describe('HMAC secret of the tokens; needed unless there are `jwtKeys` or a `jwtJwksUrl`'),
  jwtAlgorithms: z
    .array(z.enum(SECRET_ALGORITHMS))
    .nonempty()
    .default(['HS256'])
    .describe('algorithms accepted with `jwtSecret`'),
  jwtKeys: z
    .array(KeySetting)
    .default([])
    .describe(
      'several keys at once, found by the `kid` of a token: `{ kid, algorithm, secret }` for HS256, HS384, HS512, `{ kid, algorithm, publicKey }` (PEM) for RS256, ES256, EdDSA',
    ),
  jwtJwksUrl: z
    .string()
    .refine((url) => passes(() => checkKeysUrl(url)), 'an https URL without a user in it')
    .optional()
    .describe(
      'JSON Web Key Set with the public keys of tokens (RS256, ES256, EdDSA); fetched from this URL alone, in the background',
    ),
  jwtAudience: z.string().min(1, 'text').optional().describe('required `aud`'),
  jwtIssuer: z.string().min(1, 'text').optional().describe('required `iss`'),
  dataDir: z.string().min(1).default('./data').describe('folder of the SQLite file'),
  allowedOrigins: z
    .array(z.string().refine(isOrigin, 'an origin such as https://app.example.com, or `*`').overwrite(normalizeOrigin))
    .default([])
    .describe('origins whose pages may connect besides those of the same host, such as https://app.example.com; `*` allows all'),
  prefix: z
    .string()
    .regex(/^(\/[A-Za-z0-9._-]+)*$/, 'a path such as /realtime, without a slash at its end')
    .default('')
    .describe('put before every path that Ashlar answers'),
  trustedProxies: z
    .array(z.string().refine(isAddressRange, 'an IP address, or a range such as 10.0.0.0/8'))
    .default([])
    .describe('addresses whose X-Forwarded-For is believed'),
  defaultAccess: z
    .record(z.string().refine(isRoomPattern, 'a room, or the beginning of one and `*`'), access)
    .default({ dashboard: 'read', notifications: 'read', system: 'read', catalog: 'read', 'batch:*': 'read' })
    .describe('access of a token without an `access` claim'),
  authorizeTimeoutMs: positive.default(5_000).describe('after this the authorize callback counts as "no"'),
  chatHistory: count.default(50).describe('newest chat messages that a first join receives'),
  history: count.default(50).describe('newest log events that a first join of any other room receives'),
  presenceGraceMs: count.default(5_000).describe('a user is offline this long after the last socket went'),
  typingTimeoutMs: positive.default(6_000).describe('chat:typing ends by itself after this'),
  overflowRecords: positive.default(10_000).describe('a reconnecting client that missed more gets the state instead'),
  retention: z
    .strictObject({
      log: Retention.default({ maxRecords: 10_000 }),
      state: RetainedStates.prefault({}),
      documents: z
        .strictObject({
          maxAgeMs: positive.default(86_400_000).describe('age at which a record under a snapshot is cut, ms'),
          maxRecords: positive.optional().describe('newest records kept per document'),
          keepBytes: positive.default(16 * 1024 * 1024).describe('bytes of newest records kept per document, whatever their age'),
        })
        .prefault({}),
    })
    .prefault({})
    .describe('what is kept of each room; document logs are cut only under a snapshot'),
  quota: z
    .strictObject({
      bytes: positive.optional().describe('size of database and write-ahead log at which nothing new is taken (`storage-full`)'),
      warnAt: z
        .number('a number above 0, at most 1')
        .positive('a number above 0, at most 1')
        .max(1, 'a number above 0, at most 1')
        .default(0.8)
        .describe('part of `quota.bytes` at which the alarm goes: a log line, the hook `storage:quota`, a gauge'),
    })
    .prefault({})
    .describe('limit of what is stored in `dataDir`; none unless `bytes` is set'),
  compactAfterRecords: positive
    .default(500)
    .describe(
      'records after which a document gets a new snapshot; a large one that is written to without pause, up to four times as many',
    ),
  compactAfterBytes: positive.default(1_000_000).describe('bytes after which a document gets a new snapshot; as above'),
  subdocuments: z.boolean().default(false).describe('whether updates may hold Yjs subdocuments'),
  metrics: z
    .boolean()
    .optional()
    .describe('whether `GET /metrics` is answered (permission `stats`); left out: yes when standalone, no beside an app'),
  limits: Limits,
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info').describe('least level logged'),
});
export type Settings = z.output<typeof Settings>;

/** The product's decision about one user in one room. Anything thrown, or no answer in time, means "no"; so it does where it waits for `recheckAccess` of that user, which asks it. */
export type Authorize = (user: User, room: RoomName) => Access | undefined | Promise<Access | undefined>;

/** What `new RealtimeServer(options)` takes: the settings, with their defaults, and the product's own parts. */
export type RealtimeServerOptions<Own extends Events = []> = z.input<typeof Settings> & {
  /** The product's own events, made with `defineEvent`. */
  events?: Own;
  /** Asked after stored grants and before the token's `access` claim; undefined: no opinion. Cached per socket and room. */
  authorize?: Authorize;
  /** Where records live. Default: SQLite in `dataDir`. */
  store?: Store;
  /** A pino logger. Default: one of its own at `logLevel`, to standard output. */
  logger?: Logger;
};

// A value that is an object may hold a secret somewhere: it is not shown at all.
function describeGiven(given: unknown): string {
  if (typeof given === 'bigint') return ` (given: ${given}n)`;
  return typeof given === 'object' && given !== null ? '' : ` (given: ${JSON.stringify(given)})`;
}

/**
 * Parses settings once.
 * @throws AshlarError `invalid-options`; its detail names each wrong value, what was given (never a secret) and what is allowed
 */
export function parseSettings(input: unknown): Settings {
  const result = Settings.safeParse(input);
  if (result.success) return result.data;
  const detail = result.error.issues
    .map((issue) => {
      const path = issue.path.join('.');
      const given = issue.path.reduce<unknown>(
        (value, key) => (value as { [key: PropertyKey]: unknown } | undefined)?.[key],
        input,
      );
      const shown = /secret|keys/i.test(path) ? '' : describeGiven(given);
      // Of a key that is wrong zod says only that it is: what is allowed stands beneath.
      const message = (issue.code === 'invalid_key' && issue.issues[0]?.message) || issue.message;
      return `${path === '' ? '' : `${path}: `}${message}${shown}`;
    })
    .join('; ');
  throw new AshlarError('invalid-options', { detail });
}
