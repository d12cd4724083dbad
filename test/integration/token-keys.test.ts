import { generateKeyPairSync } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import jwt from 'jsonwebtoken';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ask, next, startServer, tokenFor } from '../support/start-server.ts';

const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const keySet = { keys: [{ ...pair.publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256' }] };
const token = (expiresInSeconds = 600, kid = 'k1') =>
  jwt.sign({ id: 'anna', access: { '*': 'write' } }, pair.privateKey, {
    algorithm: 'ES256',
    keyid: kid,
    expiresIn: expiresInSeconds,
  });

async function issuer(answer: RequestListener) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** As a client does that is told to come back later: bounded. */
async function patiently<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      const { data } = error as { data?: { code: string; retryAfterMs: number } };
      if (data?.code !== 'keys-pending' || tries > 10) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

test('a token signed by a fetched key opens sockets, renews them, and passes the HTTP API', async () => {
  await using keys = await issuer((_, response) => response.end(JSON.stringify(keySet)));
  await using ashlar = await startServer({ jwtSecret: undefined, jwtJwksUrl: keys.url });
  const socket = await patiently(() => ashlar.connect(token()));
  expect(await ask(socket, 'join-room', 'doc:a')).toMatchObject({ success: true, access: 'write' });
  expect(await ask(socket, 'auth:renew', token(1_200))).toMatchObject({ success: true });
  const stats = await fetch(`${ashlar.url}/api/ws/stats`, { headers: { authorization: `Bearer ${token()}` } });
  expect(stats.status, 'known, but not allowed').toBe(403);
  await expect(ashlar.connect(tokenFor('anna')), 'there is no secret any more').rejects.toMatchObject({
    data: { code: 'invalid-token' },
  });
});

test('a server that closes lets go of an issuer that does not answer', async () => {
  const asked: AbortSignal[] = [];
  const unanswered = vi.spyOn(globalThis, 'fetch').mockImplementation(
    (_, init) =>
      new Promise((_resolve, reject) => {
        const signal = init?.signal as AbortSignal;
        asked.push(signal);
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
  );
  onTestFinished(() => unanswered.mockRestore());
  await using ashlar = await startServer({ jwtSecret: undefined, jwtJwksUrl: 'https://issuer.example/keys' });
  expect(asked.map(({ aborted }) => aborted)).toEqual([false]);
  await ashlar.stop();
  expect(asked.map(({ aborted }) => aborted)).toEqual([true]);
});

test('an issuer that redirects is not followed', async () => {
  let followed = 0;
  await using other = await issuer((_, response) => {
    followed += 1;
    response.end(JSON.stringify(keySet));
  });
  let asked = () => {};
  const wasAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  await using keys = await issuer((_, response) => {
    response.writeHead(302, { location: other.url }).end(asked);
  });
  await using ashlar = await startServer({ jwtSecret: undefined, jwtJwksUrl: keys.url });
  await wasAsked;
  await expect(ashlar.connect(token())).rejects.toMatchObject({ data: { code: 'keys-pending' } });
  expect(followed).toBe(0);
});

test('keys rotate by two settings at a time: sockets of the old key stay, and renew with the new one', async () => {
  const secrets = { old: 'the old secret, of at least thirty-two bytes', new: 'the new secret, of at least thirty-two bytes' };
  const signed = (kid: 'old' | 'new') => jwt.sign({ id: 'anna' }, secrets[kid], { keyid: kid, expiresIn: 600 });
  const jwtKeys = (['new', 'old'] as const).map((kid) => ({ kid, algorithm: 'HS256' as const, secret: secrets[kid] }));
  await using ashlar = await startServer({ jwtSecret: undefined, jwtKeys });
  const socket = await ashlar.connect(signed('old'));
  expect(await ask(socket, 'join-room', 'dashboard')).toMatchObject({ success: true });
  const renewed = next(socket, 'error');
  expect(await ask(socket, 'auth:renew', signed('new'))).toMatchObject({ success: true });
  await ashlar.connect(signed('new'));
  expect(ashlar.realtime.getStats().rooms.dashboard).toBe(1);
  await Promise.race([renewed.then(() => expect.unreachable('nothing was refused')), ask(socket, 'leave-room', 'dashboard')]);
});
