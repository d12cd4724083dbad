import type { Catalog } from '../../shared/catalog.ts';
import type { LogRecord } from '../storage/store.ts';

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** A payload as a record holds it. */
export function writePayload(payload: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(payload));
}

/** A record's payload in today's version: older ones go through the event's `upcast`. */
export function readPayload(catalog: Catalog, record: LogRecord): unknown {
  const payload: unknown = JSON.parse(decoder.decode(record.payload));
  const definition = catalog.get(record.kind);
  if (definition?.upcast === undefined || record.version >= definition.version) return payload;
  return definition.upcast(payload, record.version);
}
