import { createHmac } from 'node:crypto';

/** Of the benchmark's own servers, which listen on 127.0.0.1 for as long as a run takes. */
export const SECRET = 'the secret of a benchmark on this machine alone';

/** A token that may write everywhere. */
export function signToken(id: string): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1_000) + 86_400;
  const body = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ id, access: { '*': 'write' }, exp })}`;
  return `${body}.${createHmac('sha256', SECRET).update(body).digest('base64url')}`;
}
