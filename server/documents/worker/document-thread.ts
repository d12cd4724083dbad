import { Worker } from 'node:worker_threads';
import { AshlarError } from '../../../shared/errors.ts';
import { workerEntry } from '../../worker-entry.ts';
import type { JobAnswer, JobRequest, ThreadMessage } from './jobs.ts';

/** One thread, one job at a time. It holds the process open only while it works. */
export interface DocumentThread {
  /** Resolves when jobs can run; rejects as `run` where the thread does not come up. */
  readonly ready: Promise<void>;
  /** False once the thread has ended, whatever the reason. */
  readonly alive: boolean;
  /** @throws AshlarError `document-damaged` where the job needs more memory than the thread may have, `internal` where the thread ended otherwise */
  run(request: JobRequest): Promise<JobAnswer>;
  /** Ends the thread, in the middle of a job too, which then rejects with `reason`. */
  stop(reason: AshlarError): Promise<void>;
}

// A browser's stack has about 1 MB, a thread's 4: what would end theirs must end here.
const STACK_MB = 1;

/** Starts a thread. @param heapMb most JavaScript heap it may have, MB */
export function startThread(heapMb: number): DocumentThread {
  const worker = new Worker(workerEntry(import.meta.url, './document-worker.ts'), {
    name: 'ashlar-documents',
    execArgv: [], // flags of the process, such as --input-type or a loader, would keep the thread from starting
    resourceLimits: { maxOldGenerationSizeMb: heapMb, stackSizeMb: STACK_MB },
  });
  const started = deferred<void>();
  started.promise.catch(() => {}); // whoever waits for it is told; nobody may be
  let job: Deferred<JobAnswer> | null = null;
  let ended: AshlarError | null = null;

  const end = (reason: AshlarError) => {
    ended ??= reason;
    started.reject(ended);
    job?.reject(ended);
    job = null;
  };
  worker.on('message', (message: ThreadMessage) => {
    if (message === 'ready') return started.resolve();
    const answered = job;
    job = null;
    worker.unref();
    answered?.resolve(message);
  });
  worker.on('error', (error: Error & { code?: string }) => end(reasonOf(error)));
  worker.on('exit', (code) => end(new AshlarError('internal', { detail: `the document worker ended with code ${code}` })));

  return {
    ready: started.promise,
    get alive() {
      return ended === null;
    },
    run(request) {
      if (ended !== null) return Promise.reject(ended);
      job = deferred<JobAnswer>();
      worker.ref();
      worker.postMessage(request, [request.bytes.buffer as ArrayBuffer, request.lengths.buffer as ArrayBuffer]);
      return job.promise;
    },
    async stop(reason) {
      end(reason);
      await worker.terminate();
    },
  };
}

function reasonOf(error: Error & { code?: string }): AshlarError {
  return error.code === 'ERR_WORKER_OUT_OF_MEMORY'
    ? new AshlarError('document-damaged', { detail: 'the memory limit was reached', cause: error })
    : new AshlarError('internal', { detail: `the document worker failed: ${error.message}`, cause: error });
}

interface Deferred<Value> {
  readonly promise: Promise<Value>;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: AshlarError) => void;
}

/** Promise.withResolvers, which Node 20 has not. */
function deferred<Value>(): Deferred<Value> {
  let resolve!: (value: Value) => void;
  let reject!: (error: AshlarError) => void;
  const promise = new Promise<Value>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
