import type { Catalog } from '../../shared/catalog.ts';
import type { LogRecord } from '../storage/store.ts';

const decoder = new TextDecoder();

/** A record's payload in today's version: older ones go through the event's `upcast`. */
export function readPayload(catalog: Catalog, record: LogRecord): unknown {
  const payload: unknown = JSON.parse(decoder.decode(record.payload));
  const definition = catalog.get(record.kind);
  if (definition?.upcast === undefined || record.version >= definition.version) return payload;
  return definition.upcast(payload, record.version);
}
