import { AshlarError } from '../../shared/errors.ts';

/** An argument that must be an object, looked into before its schema is. @throws AshlarError `invalid-payload` */
export function asObject(value: unknown, what: string): { readonly [key: string]: unknown } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new AshlarError('invalid-payload', { detail: `${what}: an object` });
  }
  return value as { readonly [key: string]: unknown };
}

/** A binary argument as bytes; anything else is null. */
export function asBytes(value: unknown): Uint8Array | null {
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return null;
}
