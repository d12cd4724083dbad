import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { AshlarError } from '../../../shared/errors.ts';

/** Position, how many to delete there, what to insert there; all in Unicode code points. */
export type Patch = readonly [position: number, deleteCount: number, insert: string];

export interface TraceTransaction {
  /** Indexes of earlier transactions: the document as its author saw it is their merge. */
  readonly parents: readonly number[];
  readonly agent: number;
  readonly patches: readonly Patch[];
}

/** A recorded editing session. A sequential one is a chain of transactions by one agent. */
export interface Trace {
  readonly transactions: readonly TraceTransaction[];
  readonly endContent: string;
}

/**
 * Reads a trace of the collection josephg/editing-traces, sequential or concurrent, gzipped or not.
 * @throws AshlarError `invalid-options`: the file cannot be read, or is no trace
 */
export function readTrace(file: string): Trace {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new AshlarError('invalid-options', {
      cause,
      detail: `${file} cannot be read (${(cause as NodeJS.ErrnoException).code})`,
    });
  }
  try {
    const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
    return parseTrace(JSON.parse((isGzip ? gunzipSync(bytes) : bytes).toString('utf8')));
  } catch (cause) {
    const detail = cause instanceof AshlarError ? cause.detail : (cause as Error).message;
    throw new AshlarError('invalid-options', { cause, detail: `${file} is no editing trace: ${detail}` });
  }
}

/**
 * Checks a trace's form: half a million patches, so by hand and in one pass.
 * @throws AshlarError `invalid-options`
 */
export function parseTrace(value: unknown): Trace {
  const { kind, startContent, endContent, txns } = (value ?? {}) as { [key: string]: unknown };
  if (typeof endContent !== 'string' || !Array.isArray(txns)) throw refuse('endContent and txns are needed');
  const isConcurrent = kind === 'concurrent';
  const transactions: TraceTransaction[] = [];
  // A start that is not empty is typed first.
  if (typeof startContent === 'string' && startContent !== '') {
    if (isConcurrent) throw refuse('a concurrent trace starts empty');
    transactions.push({ parents: [], agent: 0, patches: [[0, 0, startContent]] });
  }
  for (const [index, txn] of txns.entries()) {
    const { parents, agent = 0, patches } = (txn ?? {}) as { [key: string]: unknown };
    if (!Array.isArray(patches) || !patches.every(isPatch)) throw refuse(`transaction ${index}: patches`);
    if (isConcurrent) {
      if (!Array.isArray(parents) || !parents.every((one) => Number.isInteger(one) && one >= 0 && one < index)) {
        throw refuse(`transaction ${index}: parents are indexes of earlier ones`);
      }
      if (!Number.isInteger(agent)) throw refuse(`transaction ${index}: agent`);
      transactions.push({ parents, agent: agent as number, patches });
    } else {
      const last = transactions.length - 1;
      transactions.push({ parents: last < 0 ? [] : [last], agent: 0, patches });
    }
  }
  if (transactions.length === 0) throw refuse('it holds no transaction');
  return { transactions, endContent };
}

function isPatch(value: unknown): value is Patch {
  if (!Array.isArray(value)) return false;
  const [position, deleteCount, insert] = value;
  return (
    Number.isInteger(position) && position >= 0 && Number.isInteger(deleteCount) && deleteCount >= 0 && typeof insert === 'string'
  );
}

const refuse = (detail: string) => new AshlarError('invalid-options', { detail });
