import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AuthenticatorOptions, createAuthenticator } from '../../server/guard/authenticate.ts';
import { signToken, type TokenClaims } from '../../server/guard/sign-token.ts';
import { accessFromClaim } from '../../shared/access.ts';
import { AshlarError } from '../../shared/errors.ts';
import { createManualClock } from '../support/manual-clock.ts';

const SECRET = 'a secret of at least thirty-two bytes';

function setup(options: Partial<AuthenticatorOptions> = {}) {
  const clock = createManualClock();
  const authenticate = createAuthenticator({ secret: SECRET, algorithms: ['HS256'], clock, ...options });
  const inOneHour = Math.floor(clock.now() / 1000) + 3600;
  return { clock, authenticate, inOneHour };
}

/** Signs anything at all with the right secret: what an honest library would refuse to sign too. */
function forge(header: string, payload: string, { secret = SECRET, hash = 'sha256' } = {}): string {
  const signed = `${Buffer.from(header).toString('base64url')}.${Buffer.from(payload).toString('base64url')}`;
  return `${signed}.${createHmac(hash, secret).update(signed).digest('base64url')}`;
}
const HS256 = '{"alg":"HS256","typ":"JWT"}';

function refusal(task: () => unknown): AshlarError {
  try {
    task();
  } catch (error) {
    if (error instanceof AshlarError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('a good token', () => {
  test('gives the user and the end of the token in Unix ms', () => {
    const { authenticate, inOneHour } = setup();
    const claims = {
      id: 'anna',
      exp: inOneHour,
      name: 'Anna Ek',
      color: '#AA3300',
      roles: ['admin'],
      permissions: ['publish'],
      access: { 'doc:*': 'write', '*': 'none' },
      unrelated: [1],
    };
    expect(authenticate(forge(HS256, JSON.stringify(claims)))).toEqual({
      user: {
        id: 'anna',
        name: 'Anna Ek',
        color: '#aa3300',
        roles: ['admin'],
        permissions: ['publish'],
        access: { 'doc:*': 'write', '*': 'none' },
      },
      expiresAt: inOneHour * 1000,
    });
  });

  test('with no more than an id has a name, a colour and no access claim', () => {
    const { authenticate, inOneHour } = setup();
    const { user } = authenticate(forge(HS256, JSON.stringify({ sub: 'auth0|42', exp: inOneHour })));
    expect(user).toMatchObject({ id: 'auth0|42', name: 'auth0|42', roles: [], permissions: [] });
    expect(user.color).toMatch(/^#[0-9a-f]{6}$/);
    expect('access' in user).toBe(false);
  });

  test('with both id and sub speaks for the id', () => {
    const { authenticate, inOneHour } = setup();
    expect(authenticate(forge(HS256, JSON.stringify({ id: 'anna', sub: 'bob', exp: inOneHour }))).user.id).toBe('anna');
  });

  test('is over exactly when it says, by the clock given', () => {
    const { authenticate, clock } = setup();
    const token = signToken({ id: 'anna' }, SECRET, { expiresInSeconds: 60, now: clock.now() });
    expect(authenticate(token).expiresAt).toBe(clock.now() + 60_000);
    clock.advance(59_999);
    expect(authenticate(token).user.id).toBe('anna');
    clock.advance(1);
    expect(refusal(() => authenticate(token)).toWire()).toEqual({ code: 'token-expired', message: 'Invalid token' });
  });

  test('with an end between two seconds is over no later than that', () => {
    const { authenticate, clock, inOneHour } = setup();
    const token = forge(HS256, JSON.stringify({ id: 'anna', exp: inOneHour + 0.5 }));
    clock.advance(3_600_499);
    expect(authenticate(token).expiresAt).toBe(clock.now() + 1);
    clock.advance(1);
    expect(refusal(() => authenticate(token)).code).toBe('token-expired');
  });

  test('made for the audience and by the issuer wanted passes', () => {
    const { authenticate, clock } = setup({ audience: 'ashlar', issuer: 'shop' });
    const sign = (audience: string, issuer: string) =>
      signToken({ id: 'anna' }, SECRET, { expiresInSeconds: 60, now: clock.now(), audience, issuer });
    expect(authenticate(sign('ashlar', 'shop')).user.id).toBe('anna');
    expect(refusal(() => authenticate(sign('other', 'shop'))).detail).toBe('made for another audience');
    for (const issuer of ['other', 'shop.example', 'sho'])
      expect(refusal(() => authenticate(sign('ashlar', issuer))).detail).toBe('made by another issuer');
  });

  test('made for several audiences passes where the one wanted is among them, and not where a longer one holds its name', () => {
    const { authenticate, inOneHour } = setup({ audience: 'ashlar' });
    const madeFor = (aud: unknown) => forge(HS256, JSON.stringify({ id: 'anna', exp: inOneHour, aud }));
    expect(authenticate(madeFor(['shop', 'ashlar'])).user.id).toBe('anna');
    for (const aud of [
      'ashlar-staging',
      ['shop', 'ashlar-staging'],
      ['shop'],
      [],
      [['ashlar']],
      { ashlar: true },
      null,
      undefined,
    ])
      expect(refusal(() => authenticate(madeFor(aud))).detail, JSON.stringify(aud)).toBe('made for another audience');
  });

  test('of each pinned algorithm passes', () => {
    const { authenticate, clock } = setup({ algorithms: ['HS256', 'HS512'] });
    const options = { expiresInSeconds: 60, now: clock.now() };
    expect(authenticate(signToken({ id: 'anna' }, SECRET, { ...options, algorithm: 'HS512' })).user.id).toBe('anna');
    expect(refusal(() => authenticate(signToken({ id: 'anna' }, SECRET, { ...options, algorithm: 'HS384' }))).code).toBe(
      'invalid-token',
    );
  });
});

describe('no token', () => {
  test.each([undefined, null, ''])('(%j) is told to authenticate', (token) => {
    const { authenticate } = setup();
    expect(refusal(() => authenticate(token)).toWire()).toEqual({ code: 'auth-required', message: 'Authentication required' });
  });
});

describe('a token that cannot be trusted is refused', () => {
  const { authenticate, inOneHour, clock } = setup();
  const good = { id: 'anna', exp: inOneHour };
  const signed = (claims: object) => forge(HS256, JSON.stringify(claims));
  const unsigned = (header: string, signature = '') =>
    `${Buffer.from(header).toString('base64url')}.${Buffer.from(JSON.stringify(good)).toString('base64url')}.${signature}`;

  const tricks: Record<string, [token: unknown, detail: string]> = {
    'a number': [5, 'a token is a string'],
    'an object': [{ toString: () => signed(good) }, 'a token is a string'],
    'an array holding a token': [[signed(good)], 'a token is a string'],
    'not three parts': ['a.b', 'malformed'],
    'no JSON in it': [forge('{}', 'x'), 'its algorithm is not accepted'],
    'a header that is null': [forge('null', JSON.stringify(good)), 'malformed'],
    'alg none without a signature': [unsigned('{"alg":"none"}'), 'its signature does not fit'],
    'alg None': [unsigned('{"alg":"None"}', 'x'), 'its algorithm is not accepted'],
    'the right alg without a signature': [unsigned(HS256), 'its signature does not fit'],
    'another secret': [
      forge(HS256, JSON.stringify(good), { secret: 'b secret of at least thirty-two bytes' }),
      'its signature does not fit',
    ],
    'an empty secret': [forge(HS256, JSON.stringify(good), { secret: '' }), 'its signature does not fit'],
    'HS512 where HS256 is pinned': [
      forge('{"alg":"HS512","typ":"JWT"}', JSON.stringify(good), { hash: 'sha512' }),
      'its algorithm is not accepted',
    ],
    'RS256 in the header over an HMAC': [
      forge('{"alg":"RS256","typ":"JWT"}', JSON.stringify(good)),
      'its algorithm is not accepted',
    ],
    'a list of algorithms': [forge('{"alg":["HS256"],"typ":"JWT"}', JSON.stringify(good)), 'its algorithm is not accepted'],
    'an unknown crit': [
      forge('{"alg":"HS256","crit":["http://example.com/UNKNOWN"]}', JSON.stringify(good)),
      'critical header extensions',
    ],
    'crit with b64': [forge('{"alg":"HS256","crit":["b64"],"b64":false}', JSON.stringify(good)), 'critical header extensions'],
    'an empty crit': [forge('{"alg":"HS256","crit":[]}', JSON.stringify(good)), 'critical header extensions'],
    'its own key in the header': [
      forge(
        '{"alg":"HS256","jwk":{"kty":"oct","k":"YSBzZWNyZXQ"},"kid":"../../dev/null","jku":"http://127.0.0.1/"}',
        JSON.stringify(good),
        { secret: 'a secret that the attacker put in the header' },
      ),
      'its signature does not fit',
    ],
    'a string as payload': [forge(HS256, '"anna"'), 'expected object'],
    'text as payload': [forge('{"alg":"HS256"}', 'anna'), 'expected object'],
    'null as payload': [forge(HS256, 'null'), 'malformed'],
    'an array as payload': [forge(HS256, `[{"id":"anna","exp":${inOneHour}}]`), 'expected object'],
    'no exp': [signed({ id: 'anna' }), 'claim "exp"'],
    'exp 1e300': [forge(HS256, '{"id":"anna","exp":1e300}'), 'claim "exp"'],
    'exp infinite': [forge(HS256, '{"id":"anna","exp":1e999}'), 'claim "exp"'],
    'exp as text': [signed({ ...good, exp: String(inOneHour) }), 'claim "exp"'],
    'exp null': [signed({ ...good, exp: null }), 'claim "exp"'],
    'exp in a list': [signed({ ...good, exp: [inOneHour] }), 'claim "exp"'],
    'exp in milliseconds': [signed({ ...good, exp: 253_402_300_800 }), 'claim "exp"'],
    'nbf ahead': [signed({ ...good, nbf: inOneHour }), 'not valid yet'],
    'nbf as text': [signed({ ...good, nbf: '0' }), 'claim "nbf"'],
    'no id': [signed({ exp: inOneHour }), 'claim "id"'],
    'an id of no characters': [signed({ ...good, id: '' }), 'claim "id"'],
    'a number as id': [signed({ ...good, id: 7 }), 'claim "id"'],
    'an object as id': [signed({ ...good, id: { toString: 'anna' } }), 'claim "id"'],
    'id null beside a sub': [signed({ exp: inOneHour, id: null, sub: 'anna' }), 'claim "id"'],
    'a bad sub beside an id': [signed({ ...good, sub: 7 }), 'claim "sub"'],
    'an id too long for its room': [signed({ ...good, id: 'a'.repeat(124) }), 'claim "id"'],
    'an id with a newline': [signed({ ...good, id: 'anna\n' }), 'claim "id"'],
    'an id with a bidi control': [signed({ ...good, id: 'an\u202ena' }), 'claim "id"'],
    'an id with white space before it': [signed({ ...good, id: ' anna' }), 'claim "id"'],
    'an id not in NFC': [signed({ ...good, id: 'A\u030a' }), 'claim "id"'],
    'a wildcard as id': [signed({ ...good, id: '*' }), 'claim "id"'],
    'a path as id': [signed({ ...good, id: '../system' }), 'claim "id"'],
    'id __proto__': [signed({ ...good, id: '__proto__' }), 'claim "id"'],
    'id constructor': [signed({ ...good, id: 'constructor' }), 'claim "id"'],
    'an id inherited by __proto__': [forge(HS256, `{"__proto__":{"id":"anna"},"exp":${inOneHour}}`), 'claim "id"'],
    'a name that is no string': [signed({ ...good, name: { first: 'Anna' } }), 'claim "name"'],
    'roles as text': [signed({ ...good, roles: 'admin' }), 'claim "roles"'],
    'roles with an object': [signed({ ...good, roles: [{ admin: true }] }), 'claim "roles"'],
    'roles without end': [signed({ ...good, roles: Array.from({ length: 101 }, () => 'a') }), 'claim "roles"'],
    'permissions as an object': [signed({ ...good, permissions: { publish: true } }), 'claim "permissions"'],
    'a permission without end': [signed({ ...good, permissions: ['p'.repeat(129)] }), 'claim "permissions"'],
    'access as text': [signed({ ...good, access: '*' }), 'claim "access"'],
    'access as a list': [signed({ ...good, access: ['*'] }), 'claim "access"'],
    'access null': [signed({ ...good, access: null }), 'claim "access"'],
    'a level that is none': [signed({ ...good, access: { '*': 'owner' } }), 'claim "access"'],
    'a level inherited by a table': [signed({ ...good, access: { '*': 'constructor' } }), 'claim "access"'],
    'two wildcards': [signed({ ...good, access: { '*a*': 'read' } }), 'claim "access"'],
    'a wildcard in the middle': [signed({ ...good, access: { 'chat:*:x': 'read' } }), 'claim "access"'],
    'an empty pattern': [signed({ ...good, access: { '': 'read' } }), 'claim "access"'],
    'a pattern of 257 bytes': [signed({ ...good, access: { [`${'å'.repeat(128)}*`]: 'read' } }), 'claim "access"'],
    'a pattern __proto__ with a level': [
      forge(HS256, `{"id":"anna","exp":${inOneHour},"access":{"__proto__":"admin"}}`),
      'claim "access"',
    ],
    'a pattern __proto__ with patterns': [
      forge(HS256, `{"id":"anna","exp":${inOneHour},"access":{"__proto__":{"*":"admin"}}}`),
      'claim "access"',
    ],
    'a pattern constructor': [signed({ ...good, access: { constructor: 'read' } }), 'claim "access"'],
    'more than 8,192 characters': [signed({ ...good, padding: 'x'.repeat(8_192) }), 'at most 8192 characters'],
  };

  test.each(Object.keys(tricks))('%s', (trick) => {
    const [token, detail] = tricks[trick] ?? [];
    const error = refusal(() => authenticate(token));
    expect(error.toWire()).toMatchObject({
      code: 'invalid-token',
      message: 'Invalid token',
      detail: expect.stringContaining(detail ?? ''),
    });
  });

  test('and the honest token beside them is not', () => {
    expect(authenticate(signed(good)).user.id).toBe('anna');
    expect(authenticate(signed({ ...good, nbf: clock.now() / 1000, access: { '*': 'read' } })).user.id).toBe('anna');
  });

  test('with no part of it in the error', () => {
    const shown = (token: unknown) => {
      const error = refusal(() => authenticate(token));
      return `${error.stack} ${String(error.cause)} ${JSON.stringify(error.toWire())}`;
    };
    const canary = 'CANARY-1f0c';
    for (const token of [
      canary,
      `${canary}.${canary}.${canary}`,
      forge('{"alg":"HS256","typ":"JWT"}', `${canary}{`),
      forge(canary, canary),
      signed({ ...good, id: `${canary}\n` }),
      signed({ ...good, access: { [canary]: canary } }),
      signed({ ...good, exp: canary }),
      signed({ ...good, exp: 1, name: canary }),
    ]) {
      expect(shown(token)).not.toContain(canary);
      for (const part of token.split('.')) expect(shown(token)).not.toContain(part);
    }
  });

  test('whatever bytes it is made of', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.anything(),
          fc.json().map((json) => forge(HS256, json)),
        ),
        (token) => {
          const { code } = refusal(() => authenticate(token));
          expect(['invalid-token', 'auth-required', 'token-expired']).toContain(code);
        },
      ),
    );
  });
});

describe('an access claim', () => {
  test('takes 8 kB of patterns and is matched in less than a millisecond', () => {
    const { authenticate, inOneHour } = setup();
    const access = Object.fromEntries(Array.from({ length: 400 }, (_, n) => [`r${n}*`, 'read']));
    const { user } = authenticate(forge(HS256, JSON.stringify({ id: 'anna', exp: inOneHour, access })));
    const timed = Array.from({ length: 100 }, () => {
      const before = performance.now();
      expect(accessFromClaim(user.access ?? {}, `r${'9'.repeat(120)}`)).toBe('read');
      return performance.now() - before;
    });
    // The fastest: what else the machine does is no matter.
    expect(Math.min(...timed)).toBeLessThan(1);
  });

  test('that is empty stays a claim: it gives nothing, and defaultAccess does not hold', () => {
    const { authenticate, inOneHour } = setup();
    expect(authenticate(forge(HS256, JSON.stringify({ id: 'anna', exp: inOneHour, access: {} }))).user.access).toEqual({});
  });

  test('cannot be changed by who receives the user', () => {
    const { authenticate, inOneHour } = setup();
    const { user } = authenticate(
      forge(HS256, JSON.stringify({ id: 'anna', exp: inOneHour, roles: ['a'], access: { x: 'read' } })),
    );
    expect([user, user.roles, user.permissions, user.access].every(Object.isFrozen)).toBe(true);
    expect((user.access as Record<string, unknown>).constructor).toBeUndefined();
  });
});

describe('a name', () => {
  const { authenticate, inOneHour } = setup();
  const nameOf = (name: string) => authenticate(forge(HS256, JSON.stringify({ id: 'anna', exp: inOneHour, name }))).user.name;

  test('loses controls, line breaks and bidi marks, and keeps what people are called', () => {
    expect(nameOf('An\u0000na\r\n[forged] \u202eklE\u2066')).toBe('Anna[forged] klE');
    expect(nameOf('👩‍💻 می‌خواهم Åsa')).toBe('👩‍💻 می‌خواهم Åsa');
  });

  test('is in one Unicode form, so that names that read alike are alike', () => {
    expect(nameOf('A\u030asa')).toBe('\u00c5sa');
  });

  test('with nothing left of it is the id', () => {
    expect(nameOf('\u200b\u202e \n')).toBe('anna');
    expect(nameOf('')).toBe('anna');
  });

  test('is cut after 200 characters, not through one', () => {
    expect(nameOf('x'.repeat(500))).toBe('x'.repeat(200));
    expect(nameOf(`${'x'.repeat(199)}😀`)).toBe('x'.repeat(199));
  });
});

describe('a colour', () => {
  const { authenticate, inOneHour } = setup();
  const colorOf = (id: string, color?: unknown) =>
    authenticate(forge(HS256, JSON.stringify({ id, exp: inOneHour, color }))).user.color;

  test.each(['red', '#fff', '#12345g', 'url(//x)', '#123456;background:url(//x)', '#123456\n', 7, null, {}])(
    '%j is replaced',
    (color) => {
      expect(colorOf('anna', color)).toBe(colorOf('anna'));
    },
  );

  test('made from the id is the same each time, differs between users, and reads on white and on black', () => {
    const colors = new Set<string>();
    for (let n = 0; n < 200; n++) {
      const color = colorOf(`user${n}`);
      expect(colorOf(`user${n}`)).toBe(color);
      colors.add(color);
      const [red, green, blue] = [1, 3, 5].map((at) => {
        const channel = Number.parseInt(color.slice(at, at + 2), 16) / 255;
        return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
      }) as [number, number, number];
      const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
      expect(1.05 / (luminance + 0.05)).toBeGreaterThan(4.4);
      expect((luminance + 0.05) / 0.05).toBeGreaterThan(4.4);
    }
    expect(colors.size).toBeGreaterThan(150);
  });
});

describe('the secret and the options', () => {
  const create = (options: Partial<AuthenticatorOptions>) => refusal(() => setup(options)).code;

  test('are refused where they would let anyone in', () => {
    expect(create({ secret: '' })).toBe('invalid-options');
    expect(create({ secret: 'x'.repeat(31) })).toBe('invalid-options');
    expect(create({ secret: `-----BEGIN PUBLIC KEY-----\n${'M'.repeat(300)}` })).toBe('invalid-options');
    expect(create({ audience: '' })).toBe('invalid-options');
    expect(create({ issuer: '' })).toBe('invalid-options');
    expect(create({ algorithms: [] as never })).toBe('invalid-options');
  });

  test('count the secret in bytes', () => {
    expect(setup({ secret: 'å'.repeat(16) }).authenticate).toBeTypeOf('function');
  });
});

describe('signToken', () => {
  test('signs what the guard takes', () => {
    const { authenticate, clock } = setup();
    const claims: TokenClaims = { id: 'anna', name: 'Anna', access: { 'doc:*': 'write' }, permissions: ['publish'] };
    expect(authenticate(signToken(claims, SECRET, { expiresInSeconds: 10, now: clock.now() })).user).toMatchObject(claims);
  });

  test('names what the guard would refuse', () => {
    const sign = (claims: object, expiresInSeconds = 60) => refusal(() => signToken(claims, SECRET, { expiresInSeconds }));
    expect(sign({ id: 'anna', access: { 'a*b': 'read' } })).toMatchObject({
      code: 'invalid-options',
      detail: expect.stringContaining('"*"'),
    });
    expect(sign({ id: 'anna', access: { a: 'wrote' } }).detail).toContain('none, read, write, admin');
    expect(sign({ name: 'Anna' }).detail).toContain('"id" or "sub"');
    expect(sign({ id: 'anna' }, 0).detail).toContain('expiresInSeconds');
    expect(sign({ id: 'anna', roles: Array.from({ length: 100 }, () => 'r'.repeat(100)) }).detail).toContain('8192');
    expect(refusal(() => signToken({ id: 'anna' }, 'short', { expiresInSeconds: 60 })).code).toBe('invalid-options');
  });
});
