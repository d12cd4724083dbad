import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { describe, expect, test } from 'vitest';
import { createAuthenticator } from '../../server/guard/authenticate.ts';
import { createRemoteKeys } from '../../server/guard/remote-keys.ts';
import type { KeySetting } from '../../server/guard/token-keys.ts';
import { AshlarError } from '../../shared/errors.ts';
import { createManualClock } from '../support/manual-clock.ts';

const OLD = 'the old secret, of at least thirty-two bytes';
const NEW = 'the new secret, of at least thirty-two bytes';
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const ed = generateKeyPairSync('ed25519');
const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }) as string;

const clock = createManualClock();
const claims = { id: 'anna', exp: clock.now() / 1_000 + 3_600 };

/** A token with any header and any signature at all. */
function forge(header: object, signature: (signed: string) => Buffer, payload: object = claims): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part(header)}.${part(payload)}`;
  return `${signed}.${signature(signed).toString('base64url')}`;
}
const edToken = (kid: string, payload: object = claims, alg = 'EdDSA') =>
  forge({ alg, kid }, (signed) => sign(null, Buffer.from(signed), ed.privateKey), payload);
const hmac = (secret: string, kid?: string, algorithm: jwt.Algorithm = 'HS256') =>
  jwt.sign(claims, secret, { algorithm, ...(kid === undefined ? {} : { keyid: kid }) });

const KEYS: KeySetting[] = [
  { kid: 'new', algorithm: 'HS256', secret: NEW },
  { kid: 'old', algorithm: 'HS256', secret: OLD },
  { kid: 'rsa', algorithm: 'RS256', publicKey: pem(rsa.publicKey) },
  { kid: 'ec', algorithm: 'ES256', publicKey: pem(ec.publicKey) },
  { kid: 'ed', algorithm: 'EdDSA', publicKey: pem(ed.publicKey) },
];

function refusal(task: () => unknown): string {
  try {
    task();
  } catch (error) {
    if (error instanceof AshlarError) return `${error.code}: ${error.detail ?? ''}`;
    throw error;
  }
  return 'passed';
}

describe('several keys at once', () => {
  const authenticate = createAuthenticator({ algorithms: ['HS256'], keys: KEYS, clock });

  test('each verify the tokens that name them, by shared secret, RSA, EC and Ed25519', () => {
    for (const token of [
      hmac(NEW, 'new'),
      hmac(OLD, 'old'),
      jwt.sign(claims, rsa.privateKey, { algorithm: 'RS256', keyid: 'rsa' }),
      jwt.sign(claims, ec.privateKey, { algorithm: 'ES256', keyid: 'ec' }),
      edToken('ed'),
    ]) {
      expect(authenticate(token)).toMatchObject({ user: { id: 'anna' }, expiresAt: claims.exp * 1_000 });
    }
  });

  test.each<[string, string, string]>([
    ['a secret under another key’s name', hmac(OLD, 'new'), 'its signature does not fit'],
    ['no kid', hmac(NEW), 'it names no key'],
    ['an unknown kid', hmac(NEW, 'newer'), 'its key is not known'],
    ['kid __proto__', hmac(NEW, '__proto__'), 'its key is not known'],
    ['another algorithm than the key’s', hmac(NEW, 'new', 'HS512'), 'its algorithm is not accepted'],
    ['the public RSA key as HMAC secret', forgeHmac(pem(rsa.publicKey), 'rsa'), 'its algorithm is not accepted'],
    ['the public Ed25519 key as HMAC secret', forgeHmac(pem(ed.publicKey), 'ed'), 'its algorithm is not accepted'],
    ['RS256 under the EC key’s name', jwt.sign(claims, rsa.privateKey, { algorithm: 'RS256', keyid: 'ec' }), 'its algorithm'],
    ['PS256 under the RSA key’s name', jwt.sign(claims, rsa.privateKey, { algorithm: 'PS256', keyid: 'rsa' }), 'its algorithm'],
    ['alg none under the Ed25519 key’s name', forge({ alg: 'none', kid: 'ed' }, () => Buffer.alloc(64)), 'its algorithm'],
    ['an Ed25519 signature of nothing', forge({ alg: 'EdDSA', kid: 'ed' }, () => Buffer.alloc(64)), 'its signature'],
    ['an Ed25519 signature cut short', forge({ alg: 'EdDSA', kid: 'ed' }, () => Buffer.alloc(8)), 'its signature'],
    ['an Ed25519 token with crit', forge({ alg: 'EdDSA', kid: 'ed', crit: ['x'] }, signed), 'critical header'],
  ])('refuse %s', (_, token, detail) => {
    expect(refusal(() => authenticate(token))).toContain(`invalid-token: ${detail}`);
  });

  test('hold every token to its time, audience and issuer, whatever signed it', () => {
    const strict = createAuthenticator({ algorithms: ['HS256'], keys: KEYS, audience: 'ashlar', issuer: 'shop', clock });
    const good = { ...claims, aud: ['ashlar', 'else'], iss: 'shop' };
    expect(strict(edToken('ed', good)).user.id).toBe('anna');
    const said = (change: object) => refusal(() => strict(edToken('ed', { ...good, ...change })));
    expect(said({ aud: 'else' })).toContain('another audience');
    expect(said({ aud: undefined })).toContain('another audience');
    expect(said({ iss: 'mall' })).toContain('another issuer');
    expect(said({ nbf: claims.exp })).toContain('not valid yet');
    expect(said({ exp: clock.now() / 1_000 })).toContain('token-expired');
  });

  test('stand beside the one secret, which goes on for tokens that name none of them', () => {
    const both = createAuthenticator({ secret: OLD, algorithms: ['HS256'], keys: KEYS.slice(0, 1), clock });
    expect(both(hmac(OLD)).user.id).toBe('anna');
    expect(both(hmac(OLD, 'an id that the issuer always wrote')).user.id).toBe('anna');
    expect(both(hmac(NEW, 'new')).user.id).toBe('anna');
    expect(refusal(() => both(hmac(OLD, 'new')))).toContain('its signature does not fit');
  });

  test.each<[string, KeySetting[], string]>([
    ['none at all', [], 'one of jwtSecret, jwtKeys and jwtJwksUrl is needed'],
    ['one kid twice', [KEYS[0]!, KEYS[0]!], 'two keys have this kid'],
    ['a private key', [{ kid: 'a', algorithm: 'RS256', publicKey: privatePem() }], 'this is a private key'],
    ['a key of another kind', [{ kid: 'a', algorithm: 'ES256', publicKey: pem(rsa.publicKey) }], 'does not fit ES256'],
    ['a short RSA key', [{ kid: 'a', algorithm: 'RS256', publicKey: shortRsa() }], 'does not fit RS256'],
    ['a public key for HS256', [{ kid: 'a', algorithm: 'HS256', publicKey: pem(rsa.publicKey) }], 'takes a "secret"'],
    ['a PEM as a secret', [{ kid: 'a', algorithm: 'HS256', secret: pem(rsa.publicKey) }], 'not a PEM key'],
    ['no key', [{ kid: 'a', algorithm: 'EdDSA' }], 'takes a "publicKey"'],
  ])('are refused at the start: %s', (_, keys, detail) => {
    expect(refusal(() => createAuthenticator({ algorithms: ['HS256'], keys, clock }))).toContain(detail);
  });
});

describe('keys that are fetched', () => {
  const jwk = (key: KeyObject, kid: string, more: object = {}) => ({
    ...key.export({ format: 'jwk' }),
    kid,
    use: 'sig',
    ...more,
  });

  /** An issuer whose answers the test gives. */
  function issuer(url = 'https://issuer.example/keys') {
    const time = createManualClock();
    const asked: { url: string; init: RequestInit }[] = [];
    let answer: () => Response = () => Response.json({ keys: [jwk(rsa.publicKey, 'rsa')] });
    const said: string[] = [];
    const note = (fields: object, message: string) => said.push(`${message} ${JSON.stringify(fields)}`);
    const remote = createRemoteKeys({
      url,
      clock: time,
      log: { info: note, warn: note },
      fetch: async (to, init) => {
        asked.push({ url: to, init });
        await Promise.resolve();
        return answer();
      },
    });
    const authenticate = createAuthenticator({ algorithms: ['HS256'], remote, clock });
    return {
      time,
      asked,
      said,
      remote,
      answers: (next: () => Response) => {
        answer = next;
      },
      try: (token: string) => refusal(() => authenticate(token)),
    };
  }
  const rsaToken = (kid: string) => jwt.sign(claims, rsa.privateKey, { algorithm: 'RS256', keyid: kid });

  test('are fetched from the URL that was configured, with no redirect followed', async () => {
    const { time, asked, try: attempt } = issuer();
    expect(attempt(rsaToken('rsa')), 'not here yet').toContain('keys-pending');
    await time.advanceAsync(0);
    expect(attempt(rsaToken('rsa'))).toBe('passed');
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ url: 'https://issuer.example/keys', init: { redirect: 'error' } });
  });

  test('of all three kinds verify, and what is for something else is passed over', async () => {
    const { time, answers, try: attempt } = issuer();
    answers(() =>
      Response.json({
        keys: [
          { kty: 'oct', k: Buffer.from(NEW).toString('base64url'), kid: 'oct', alg: 'HS256' },
          jwk(rsa.publicKey, 'enc', { use: 'enc' }),
          jwk(rsa.publicKey, 'ps', { alg: 'PS256' }),
          { kty: 'RSA', kid: 'broken', n: 'AQ', e: 'AQAB' },
          jwk(ec.publicKey, 'ec'),
          jwk(ed.publicKey, 'ed', { alg: 'EdDSA' }),
        ],
      }),
    );
    await time.advanceAsync(0);
    expect(attempt(jwt.sign(claims, ec.privateKey, { algorithm: 'ES256', keyid: 'ec' }))).toBe('passed');
    expect(attempt(edToken('ed'))).toBe('passed');
    for (const kid of ['enc', 'ps', 'broken']) expect(attempt(rsaToken(kid)), kid).toContain('its key is not known');
    expect(attempt(hmac(NEW, 'oct'))).toContain('its key is not known');
    time.advance(31_000);
    expect(attempt(hmac(NEW, 'oct')), 'a shared secret is never asked for').toContain('its key is not known');
  });

  test('of which two have one kid count as the first, so that nobody who adds one takes the place of another', async () => {
    const { time, answers, try: attempt } = issuer();
    answers(() => Response.json({ keys: [jwk(rsa.publicKey, 'same'), jwk(ec.publicKey, 'same')] }));
    await time.advanceAsync(0);
    expect(attempt(rsaToken('same'))).toBe('passed');
    expect(attempt(jwt.sign(claims, ec.privateKey, { algorithm: 'ES256', keyid: 'same' }))).toContain('algorithm');
  });

  test('are fetched again for a kid not seen before, but however many come, twice a minute at most', async () => {
    const { time, asked, answers, try: attempt } = issuer();
    await time.advanceAsync(0);
    for (let n = 0; n < 100; n++) expect(attempt(rsaToken(`random-${n}`))).toContain('its key is not known');
    expect(asked).toHaveLength(1);
    answers(() => Response.json({ keys: [jwk(rsa.publicKey, 'rotated')] }));
    await time.advanceAsync(30_000);
    expect(attempt(rsaToken('rotated'))).toContain('keys-pending');
    await time.advanceAsync(0);
    expect(asked).toHaveLength(2);
    expect(attempt(rsaToken('rotated'))).toBe('passed');
    expect(attempt(rsaToken('rsa')), 'withdrawn').toContain('its key is not known');
  });

  test('go on for a day while the issuer fails, which is asked with backoff', async () => {
    const { time, asked, answers, said, remote, try: attempt } = issuer();
    await time.advanceAsync(0);
    answers(() => new Response('no', { status: 500 }));
    await time.advanceAsync(600_000);
    expect(said.at(-1)).toBe('auth:keys-failed {"failures":1,"reason":"status 500"}');
    expect(attempt(rsaToken('rsa'))).toBe('passed');
    const before = asked.length;
    for (let half = 0; half < 20; half++) {
      await time.advanceAsync(30_000);
      expect(attempt(rsaToken('other'))).toContain('its key is not known');
    }
    expect(asked.length - before, '1, 2, 4, … then 60 s, whatever tokens name').toBeLessThan(17);
    await time.advanceAsync(86_400_000);
    expect(attempt(rsaToken('rsa'))).toContain('keys-pending');
    answers(() => Response.json({ keys: [jwk(rsa.publicKey, 'rsa')] }));
    await time.advanceAsync(60_000);
    expect(attempt(rsaToken('rsa'))).toBe('passed');
    remote.close();
    expect(time.armed).toBe(0);
  });

  test('are asked for no longer once nobody wants them: the request under way ends with the rest', () => {
    const { time, asked, remote } = issuer();
    expect(asked[0]?.init.signal?.aborted).toBe(false);
    remote.close();
    expect(asked[0]?.init.signal?.aborted).toBe(true);
    time.advance(86_400_000);
    expect(asked).toHaveLength(1);
  });

  test.each<[string, () => Response, string]>([
    ['a page', () => new Response('<html>'), 'not JSON'],
    ['no set', () => Response.json({ key: [] }), 'not a JSON Web Key Set'],
    ['a set without a usable key', () => Response.json({ keys: [] }), 'no key in it'],
    ['megabytes', () => new Response('x'.repeat(300_000)), 'more than 256000 bytes'],
  ])('%s is no set of keys, and those known stay', async (_, response, reason) => {
    const { time, answers, said, try: attempt } = issuer();
    await time.advanceAsync(0);
    answers(response);
    await time.advanceAsync(600_000);
    expect(said.at(-1)).toContain(reason);
    expect(attempt(rsaToken('rsa'))).toBe('passed');
  });

  test.each(['http://issuer.example/keys', 'file:///etc/passwd', 'https://user:word@issuer.example/', 'issuer.example'])(
    'are not fetched from %s',
    (url) => {
      expect(refusal(() => issuer(url))).toContain('an https URL without a user in it');
    },
  );
});

function signed(text: string): Buffer {
  return sign(null, Buffer.from(text), ed.privateKey);
}

function forgeHmac(secret: string, kid: string): string {
  return forge({ alg: 'HS256', kid }, (text) => Buffer.from(jwtHmac(text, secret), 'base64url'));
}

function jwtHmac(text: string, secret: string): string {
  const [header = '', payload = ''] = text.split('.');
  const whole = jwt.sign(JSON.parse(Buffer.from(payload, 'base64url').toString()), secret, {
    header: JSON.parse(Buffer.from(header, 'base64url').toString()),
    noTimestamp: true,
  });
  return whole.split('.')[2] ?? '';
}

function privatePem(): string {
  return rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}

function shortRsa(): string {
  return pem(generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey);
}
