import { strict as assert } from 'node:assert';
import { generateKeyPairSync, sign } from 'node:crypto';
import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';
import { MAX_AWARENESS_DEPTH, readAwareness } from '../../../server/documents/document-awareness.ts';
import { createAuthenticator } from '../../../server/guard/authenticate.ts';
import { signToken } from '../../../server/guard/sign-token.ts';
import { createHttpApi } from '../../../server/http/api.ts';
import {
  type ClientFrame,
  decodeClientFrame,
  decodeServerFrame,
  encodeFrame,
  type ServerFrame,
} from '../../../shared/document-frame.ts';
import { AshlarError, type ErrorCode } from '../../../shared/errors.ts';
import { tryUpdates } from '../admission-trial.ts';
import { fakePorts } from '../http-api-server.ts';
import { createManualClock } from '../manual-clock.ts';
import { type Draw, generateUpdate, mutateBytes } from '../mutate-update.ts';
import { mutateValue } from '../mutate-value.ts';
import type { FuzzTarget } from './fuzz-target.ts';

/** The codes that a door may answer with; anything else thrown is a find. */
function refusal(task: () => unknown, allowed: readonly ErrorCode[]): string | null {
  try {
    task();
    return null;
  } catch (error) {
    if (error instanceof AshlarError && allowed.includes(error.code)) return error.code;
    throw error;
  }
}

const pick = <Value>(draw: Draw, values: readonly Value[]): Value => values[draw(values.length)] as Value;
const noise = (draw: Draw) => Uint8Array.from({ length: draw(40) }, () => draw(256));

const doc = new Y.Doc();
doc.getText('text').insert(0, 'some words');
const UPDATE = Y.encodeStateAsUpdate(doc);
const VECTOR = Y.encodeStateVector(doc);

const CLIENT_FRAMES: readonly ClientFrame[] = [
  { type: 'sync', stateVector: VECTOR },
  { type: 'update', counter: 7, full: false, update: UPDATE },
  { type: 'update', counter: 1, full: true, update: UPDATE },
  { type: 'part', counter: 2, full: false, index: 1, count: 3, bytes: UPDATE.slice(0, 20) },
  { type: 'pull', transfer: 300, index: 2 },
  { type: 'awareness', update: UPDATE.slice(0, 12) },
];
const SERVER_FRAMES: readonly ServerFrame[] = [
  { type: 'state', transfer: 3, index: 0, count: 2, epoch: 'e', seq: 9, stateVector: VECTOR, bytes: UPDATE },
  {
    type: 'committed',
    epoch: 'e',
    entries: [
      { seq: 8, update: UPDATE },
      { seq: 9, counter: 2 },
    ],
  },
  { type: 'saved', counter: 3, epoch: 'e', seq: 9 },
  { type: 'refused', counter: 4, code: 'rate-limited', retryAfterMs: 250, detail: 'x' },
  { type: 'gap', counter: 4, stateVector: VECTOR },
  { type: 'reset', reason: 'gone' },
];

/** Frames: read or refused, and what was read is written and read the same. */
const frames: FuzzTarget = {
  name: 'frames',
  share: 40,
  prepare: () => {
    const kinds = [
      { decode: decodeClientFrame as (bytes: Uint8Array) => ClientFrame | ServerFrame, valid: CLIENT_FRAMES.map(encodeFrame) },
      { decode: decodeServerFrame as (bytes: Uint8Array) => ClientFrame | ServerFrame, valid: SERVER_FRAMES.map(encodeFrame) },
    ];
    return (draw) => {
      const { decode, valid } = pick(draw, kinds);
      const bytes = draw(10) === 0 ? noise(draw) : mutateBytes(draw, pick(draw, valid), pick(draw, valid));
      let frame: ClientFrame | ServerFrame | undefined;
      const code = refusal(() => {
        frame = decode(bytes);
      }, ['malformed-frame', 'too-large']);
      if (code !== null || frame === undefined) return code ?? 'nothing';
      assert.deepEqual(decode(encodeFrame(frame)), frame);
      return 'read';
    };
  },
};

/** Updates: what is admitted applies, merges, and gives members and joiners the same. */
const updates: FuzzTarget = {
  name: 'updates',
  share: 20,
  prepare: () => (draw) => {
    const seed = draw(2 ** 31);
    const { admitted, forCompaction } =
      draw(2) === 0
        ? tryUpdates(seed, 1, 1, (from, { updates: honest }) => mutateBytes(from, pick(from, honest), pick(from, honest)))
        : tryUpdates(seed, 1, 1, (from, { log, adasIds }) => generateUpdate(from, log.known, adasIds));
    if (forCompaction > 0) return 'for the compaction';
    return admitted > 0 ? 'admitted' : 'not admitted';
  },
};

/** As editors tell where a caret is. */
const PLACE = { type: null, tname: 'default', item: { client: 7, clock: 3 }, assoc: 0 };

/** Awareness: one entry, one's own, small and flat; or refused. */
const awareness: FuzzTarget = {
  name: 'awareness',
  share: 15,
  prepare: () => {
    const encode = (clientId: number, state: unknown) => {
      const encoder = encoding.createEncoder();
      for (const value of [1, clientId, 5]) encoding.writeVarUint(encoder, value);
      encoding.writeVarString(encoder, JSON.stringify(state) ?? 'null');
      return encoding.toUint8Array(encoder);
    };
    const state = { user: { name: 'Ada', color: '#336699' }, cursor: { anchor: PLACE, head: PLACE } };
    const valid = [encode(7, state), encode(7, null), encode(8, state)];
    return (draw) => {
      const bytes = draw(2) === 0 ? encode(7, mutateValue(draw, state)) : mutateBytes(draw, pick(draw, valid), pick(draw, valid));
      let read: object | null = null;
      const code = refusal(() => {
        read = readAwareness(bytes, 7);
      }, ['malformed-frame', 'too-large', 'foreign-client-id', 'invalid-payload']);
      if (code !== null) return code;
      assert.ok(JSON.stringify(read).length <= 3 * 4_096);
      assert.ok(depthOf(read) <= MAX_AWARENESS_DEPTH);
      readAsEditorsDo((read ?? {}) as { cursor?: { anchor: unknown; head: unknown } | null });
      return 'read';
    };
  },
};

const EDITED = new Y.Doc();

/** Editor bindings look up whatever is there. */
function readAsEditorsDo({ cursor }: { cursor?: { anchor: unknown; head: unknown } | null }): void {
  if (cursor === null || cursor === undefined) return;
  for (const place of [cursor.anchor, cursor.head]) {
    Y.createAbsolutePositionFromRelativePosition(Y.createRelativePositionFromJSON(place), EDITED);
    Y.createAbsolutePositionFromRelativePosition(place as Y.RelativePosition, EDITED);
  }
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

/** Tokens: none passes that was not signed as it is, and no refusal holds a part of one. */
const tokens: FuzzTarget = {
  name: 'tokens',
  share: 15,
  prepare: () => {
    const clock = createManualClock();
    const secret = 'a secret of at least thirty-two bytes';
    const ed = generateKeyPairSync('ed25519');
    const publicKey = ed.publicKey.export({ type: 'spki', format: 'pem' }) as string;
    const keys = [
      { kid: 'a', algorithm: 'HS256' as const, secret: `${secret}, the second` },
      { kid: 'ed', algorithm: 'EdDSA' as const, publicKey },
    ];
    const authenticate = createAuthenticator({ secret, algorithms: ['HS256'], keys, clock });
    const claims = { id: 'ada', access: { 'doc:*': 'write' as const } };
    const options = { expiresInSeconds: 3_600, now: clock.now() };
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const edSigned = `${part({ alg: 'EdDSA', kid: 'ed' })}.${part({ ...claims, exp: Math.floor(clock.now() / 1_000) + 3_600 })}`;
    const valid = [
      signToken(claims, secret, options),
      signToken(claims, `${secret}, the second`, { ...options, keyId: 'a' }),
      `${edSigned}.${sign(null, Buffer.from(edSigned), ed.privateKey).toString('base64url')}`,
    ];
    // Base64url has spare bits at an end: other characters for the same bytes are the same token.
    const same = (token: string) =>
      token
        .split('.')
        .map((each) => Buffer.from(each, 'base64url').toString('hex'))
        .join('.');
    const known = new Set(valid.map(same));
    return (draw) => {
      const token = mutateToken(draw, valid);
      let userId = '';
      const code = refusal(() => {
        userId = authenticate(token).user.id;
      }, ['auth-required', 'invalid-token', 'token-expired']);
      if (code !== null) return code;
      assert.equal(userId, 'ada');
      assert.ok(known.has(same(token)), `a token passed that nobody signed: ${token}`);
      return 'passed';
    };
  },
};

function mutateToken(draw: Draw, valid: readonly string[]): string {
  const token = pick(draw, valid);
  switch (draw(4)) {
    case 0:
      return token;
    case 1: {
      // The parts of one under the signature of another.
      const parts = [0, 1, 2].map((index) => pick(draw, valid).split('.')[index] as string);
      return parts.join('.');
    }
    case 2: {
      const parts = token.split('.');
      const at = draw(2);
      const value: unknown = JSON.parse(Buffer.from(parts[at] as string, 'base64url').toString());
      parts[at] = Buffer.from(JSON.stringify(mutateValue(draw, value)) ?? '').toString('base64url');
      return parts.join('.');
    }
    default: {
      const bytes = Buffer.from(token);
      return Buffer.from(mutateBytes(draw, bytes, bytes)).toString('latin1');
    }
  }
}

/** HTTP bodies: published, or refused with a code and a status of its own; never a failure inside. */
const bodies: FuzzTarget = {
  name: 'http',
  share: 10,
  prepare: () => {
    const { ports } = fakePorts();
    const failed: unknown[] = [];
    const api = createHttpApi(ports, { log: { error: (fields: object) => void failed.push(fields) } });
    const event = { event: 'system:status', data: { status: 'online', message: 'x' } };
    const valid: readonly unknown[] = [event, [event, { ...event, room: 'system' }], { ...event, userId: 'ada' }];
    const env = { incoming: { socket: { remoteAddress: '127.0.0.1' } } };
    return async (draw) => {
      const text = JSON.stringify(mutateValue(draw, pick(draw, valid))) ?? '';
      const bytes = Buffer.from(text);
      const body = draw(3) === 0 && bytes.length > 0 ? mutateBytes(draw, bytes, bytes) : bytes;
      const headers = {
        authorization: `Bearer ${draw(20) === 0 ? 'bad' : 'good'}`,
        'content-type': draw(20) === 0 ? 'text/plain' : 'application/json',
      };
      const request = new Request('http://server/api/events', { method: 'POST', body: new Uint8Array(body), headers });
      const response = await api.fetch(request, env as never);
      const answer = (await response.json()) as { success: boolean; error?: { code: string } };
      assert.deepEqual(failed, []);
      assert.ok(response.status < 500, `status ${response.status} for ${text}`);
      assert.equal(answer.success, response.status === 200);
      return answer.error?.code ?? 'published';
    };
  },
};

export const TARGETS: readonly FuzzTarget[] = [frames, updates, awareness, tokens, bodies];
