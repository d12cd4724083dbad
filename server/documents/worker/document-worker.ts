import { parentPort } from 'node:worker_threads';
import { AshlarError, invariant } from '../../../shared/errors.ts';
import { compact } from './compact.ts';
import { diff } from './diff.ts';
import { findDependents } from './find-dependents.ts';
import { type JobAnswer, type JobInput, type JobKind, type JobRequest, type JobResults, ownBytes, unpackJob } from './jobs.ts';
import { novelDeletes } from './novel-deletes.ts';
import { WarmDoc } from './warm-doc.ts';

// The thread's entry: one job after the other, each by a pure function. Limits are the pool's; it ends the thread that exceeds them.
// One document stays in memory from one `vouch` to the next, as long as the pool names it.

const nothing = new Uint8Array();
// biome-ignore lint/style/noRestrictedGlobals: the thread's own time, which no port reaches.
const now = () => performance.now();
let warm: WarmDoc | null = null;

function forget(): void {
  warm?.destroy();
  warm = null;
}

function vouch({ state, updates, goesOn, warm: id = 0 }: JobInput): { readonly ms: number } {
  if (!goesOn) {
    forget();
    warm = new WarmDoc(id, { state, updates }, now);
    return { ms: warm.ms };
  }
  invariant(warm !== null, 'the warm document that this goes on is here', { id });
  const kept = warm;
  // Back only once all of it is applied: what failed half-way is no document.
  warm = null;
  kept.apply(updates);
  warm = kept;
  return { ms: kept.ms };
}

const JOBS: { readonly [Kind in JobKind]: (input: JobInput) => JobResults[Kind] } = {
  compact: (input) => compact(input),
  check: (input) => {
    const startedAt = now();
    const { nesting } = compact(input);
    return { ms: now() - startedAt, nesting };
  },
  diff: (input) => diff(input, input.argument ?? nothing),
  novelDeletes: (input) => novelDeletes(input, input.argument ?? nothing),
  dependents: (input) => findDependents(input.updates, input.culprit ?? 0),
  vouch,
  forget: () => null,
};

function answer(request: JobRequest): JobAnswer {
  try {
    if (warm !== null && warm.id !== request.warm) forget();
    return { ok: true, result: JOBS[request.kind](unpackJob(request)) };
  } catch (error) {
    // Whatever Yjs throws at bytes that it cannot read is the document's fault.
    const { code, detail, cause } = AshlarError.from(error, 'document-damaged');
    return { ok: false, code, detail: detail ?? `${request.kind} threw: ${cause instanceof Error ? cause.message : cause}` };
  }
}

/** The answer with every buffer alone, and the buffers that are handed over. */
function handOver(said: JobAnswer): [JobAnswer, ArrayBuffer[]] {
  if (!said.ok || said.result === null) return [said, []];
  if (said.result instanceof Uint8Array) {
    const result = ownBytes(said.result);
    return [{ ok: true, result }, [result.buffer]];
  }
  if (!('state' in said.result)) return [said, []];
  const state = ownBytes(said.result.state);
  const stateVector = ownBytes(said.result.stateVector);
  const { nesting } = said.result;
  return [{ ok: true, result: { state, stateVector, nesting } }, [state.buffer, stateVector.buffer]];
}

invariant(parentPort !== null, 'document-worker runs as a worker thread');
const port = parentPort;
port.on('message', (request: JobRequest) => port.postMessage(...handOver(answer(request))));
port.postMessage('ready');
