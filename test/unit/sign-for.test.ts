import { generateKeyPairSync } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { expect, test } from 'vitest';
import { canSign, signFor } from '../../server/cli/token.ts';
import { createAuthenticator } from '../../server/guard/authenticate.ts';
import { parseSettings } from '../../server/options.ts';
import { createSystemClock } from '../../server/system-clock.ts';

const publicKey = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }) as string;
const secret = 'a secret that is at least thirty-two bytes long';
const keyOnly = { kid: 'public', algorithm: 'EdDSA', publicKey } as const;
const [first, second] = [
  { kid: 'new', algorithm: 'HS512', secret },
  { kid: 'old', algorithm: 'HS256', secret: `${secret}, once` },
] as const;

test.each([
  ['the one secret', { jwtSecret: secret, jwtKeys: [first] }, undefined],
  ['the first key with a secret, wherever it stands', { jwtKeys: [keyOnly, first, second] }, 'new'],
])('a token is signed with %s, and the same settings take it', (_, given, kid) => {
  const settings = parseSettings({ ...given, jwtAudience: 'ashlar', jwtIssuer: 'shop' });
  expect(canSign(settings)).toBe(true);
  const token = signFor(settings, { id: 'ada' }, 60);
  expect(jwt.decode(token, { complete: true })?.header.kid).toBe(kid);
  const authenticate = createAuthenticator({
    secret: settings.jwtSecret,
    algorithms: settings.jwtAlgorithms,
    keys: settings.jwtKeys,
    audience: settings.jwtAudience,
    issuer: settings.jwtIssuer,
    clock: createSystemClock(),
  });
  expect(authenticate(token).user.id).toBe('ada');
});

test('with public keys alone nothing can be signed, and that is said', () => {
  const settings = parseSettings({ jwtKeys: [keyOnly] });
  expect(canSign(settings)).toBe(false);
  expect(() => signFor(settings, { id: 'ada' }, 60)).toThrow(expect.objectContaining({ code: 'invalid-options' }));
});
