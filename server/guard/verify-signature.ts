import { verify } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { AshlarError } from '../../shared/errors.ts';
import type { TokenKey } from './token-keys.ts';

/** What a token holds once its signature was found to fit. */
export interface SignedContent {
  readonly header: object;
  readonly payload: unknown;
}

/**
 * Checks a token's signature, and nothing else of it.
 * @param algorithms accepted with this key, whatever the header says
 * @throws AshlarError `invalid-token`, without any part of the token
 */
export function verifySignature(
  token: string,
  key: TokenKey['key'],
  algorithms: readonly TokenKey['algorithm'][],
): SignedContent {
  if (algorithms[0] === 'EdDSA') return verifyEdDsa(token, key);
  try {
    return jwt.verify(token, key, {
      algorithms: [...algorithms] as jwt.Algorithm[],
      complete: true,
      ignoreExpiration: true,
      ignoreNotBefore: true,
    });
  } catch (error) {
    throw invalid(describe(error));
  }
}

/** The header, unverified: only to find the key by. @returns null where there is none that can be read */
export function peekHeader(token: string): Readonly<Record<string, unknown>> | null {
  return readObject(token.slice(0, token.indexOf('.')));
}

const COMPACT = /^([\w-]+)\.([\w-]*)\.([\w-]+)$/;
const ED25519_BYTES = 64;

/** RFC 8037. jsonwebtoken does not know this algorithm. */
function verifyEdDsa(token: string, key: TokenKey['key']): SignedContent {
  const [, header = '', payload = '', signature = ''] = COMPACT.exec(token) ?? [];
  const read = readObject(header);
  if (read === null) throw invalid('malformed');
  if (read.alg !== 'EdDSA') throw invalid('its algorithm is not accepted');
  const bytes = Buffer.from(signature, 'base64url');
  const signed = Buffer.from(`${header}.${payload}`, 'latin1');
  if (bytes.length !== ED25519_BYTES || !verify(null, signed, key, bytes)) throw invalid('its signature does not fit');
  const content = readObject(payload);
  if (content === null) throw invalid('malformed');
  return { header: read, payload: content };
}

function readObject(part: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function invalid(detail: string): AshlarError {
  return new AshlarError('invalid-token', { detail });
}

/** jsonwebtoken's reasons in our words: its own may quote the options, and a parser's error quotes the token. */
function describe(error: unknown): string {
  const message = error instanceof jwt.JsonWebTokenError ? error.message : '';
  if (message === 'invalid algorithm') return 'its algorithm is not accepted';
  if (message === 'invalid signature' || message === 'jwt signature is required') return 'its signature does not fit';
  return 'malformed';
}
