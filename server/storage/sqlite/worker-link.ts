import { Worker } from 'node:worker_threads';
import { AshlarError } from '../../../shared/errors.ts';
import type { Clock } from '../../clock.ts';
import type { StoreSpace } from '../store.ts';
import { type Question, receiveError, type WorkerMessage, type WorkerSettings } from './messages.ts';

/** What the store tells the product's logger. */
export interface StoreLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

type Callable = (...args: never[]) => unknown;

/** A worker thread that is started again when it dies. */
interface WorkerLink<Calls> {
  /**
   * Asks the worker, or waits for the next one to be ready. Questions are taken in order.
   * @throws AshlarError what the worker says, or `storage-unavailable` where it died: then the outcome is unknown
   */
  ask<K extends keyof Calls & string>(
    call: K,
    args: Calls[K] extends Callable ? Parameters<Calls[K]> : never,
    transfer?: readonly ArrayBuffer[],
  ): Promise<Calls[K] extends Callable ? ReturnType<Calls[K]> : never>;
  /** Lets it finish and ends it. Nothing may be asked afterwards. */
  close(): Promise<void>;
}

interface WorkerLinkOptions {
  readonly name: string;
  readonly entry: URL;
  readonly settings: WorkerSettings;
  readonly clock: Clock;
  readonly log: StoreLog | undefined;
  /** Told how much is stored: by the writer alone. */
  readonly onSpace?: (space: StoreSpace) => void;
  /** For tests that end a worker. */
  readonly onWorker: ((worker: Worker) => void) | undefined;
}

const RESTART_MIN_MS = 50;
const RESTART_MAX_MS = 5_000;

interface Asked {
  readonly question: Question;
  readonly transfer: readonly ArrayBuffer[];
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: AshlarError) => void;
}

/** Starts a worker; resolves when it is ready. @throws AshlarError what it says when it cannot start */
export async function startWorker<Calls>(options: WorkerLinkOptions): Promise<WorkerLink<Calls>> {
  const { name, clock, log } = options;
  const asked = new Map<number, Asked>();
  /** Asked while no worker was ready. */
  let waiting: Asked[] = [];
  let ready: Worker | undefined;
  let nextId = 1;
  let attempts = 0;
  let closing: Promise<void> | undefined;
  let cancelRestart: (() => void) | undefined;
  let ended: Promise<void> = Promise.resolve();

  const fail = (all: Iterable<Asked>, error: AshlarError): void => {
    for (const { reject } of all) reject(error);
  };
  const post = (worker: Worker, each: Asked): void => {
    asked.set(each.question.id, each);
    worker.postMessage(each.question, [...each.transfer]);
  };

  const answer = (id: number, settle: (each: Asked) => void): void => {
    const each = asked.get(id);
    asked.delete(id);
    if (each) settle(each);
  };

  /** Resolves when the worker is ready or has said why not. */
  const start = (): Promise<void> => {
    const worker = new Worker(options.entry, { name: `ashlar-${name}`, workerData: options.settings, execArgv: [] });
    options.onWorker?.(worker);
    let reason: AshlarError | undefined;
    return new Promise<void>((resolve, reject) => {
      worker.on('message', (message: WorkerMessage) => {
        switch (message.type) {
          case 'ready':
            ready = worker;
            attempts = 0;
            for (const each of waiting) post(worker, each);
            waiting = [];
            return resolve();
          case 'refused':
            reason = receiveError(message.error);
            return;
          case 'answer':
            return answer(message.id, (each) => each.resolve(message.value));
          case 'failed':
            return answer(message.id, (each) => each.reject(receiveError(message.error)));
          case 'space':
            return options.onSpace?.(message.space);
          case 'warning':
            return log?.warn({ err: receiveError(message.error), worker: name }, message.message);
        }
      });
      worker.on('error', (cause) => {
        reason = new AshlarError('storage-unavailable', { detail: `the ${name} thread failed: ${cause}`, cause });
      });
      ended = new Promise((resolveEnded) => {
        worker.on('exit', () => {
          const error = reason ?? new AshlarError('storage-unavailable', { detail: `the ${name} thread ended` });
          const wasReady = ready === worker;
          ready = undefined;
          const lost = [...asked.values()];
          asked.clear();
          fail(lost, error);
          // Those that waited for this start are told why there was none; a worker that died at work gets a successor first.
          if (!wasReady || closing) {
            const unserved = waiting;
            waiting = [];
            fail(unserved, error);
          }
          if (wasReady && !closing) {
            log?.error({ err: error, worker: name, unanswered: lost.length }, 'storage:worker-died');
            restart();
          }
          resolveEnded();
          reject(error);
        });
      });
    });
  };

  const restart = (): void => {
    const delay = attempts === 0 ? 0 : Math.min(RESTART_MIN_MS * 2 ** attempts, RESTART_MAX_MS);
    attempts += 1;
    cancelRestart = clock.after(delay, () => {
      cancelRestart = undefined;
      start().then(
        () => log?.info({ worker: name }, 'storage:worker-restarted'),
        (error: AshlarError) => {
          log?.error({ err: error, worker: name }, 'storage:worker-restart-failed');
          if (!closing) restart();
        },
      );
    });
  };

  const ask = (call: string, args: readonly unknown[], transfer: readonly ArrayBuffer[] = []): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const each: Asked = { question: { id: nextId++, call, args }, transfer, resolve, reject };
      if (ready) post(ready, each);
      else waiting.push(each);
    });

  await start();
  return {
    ask: ask as WorkerLink<Calls>['ask'],
    close() {
      closing ??= (async () => {
        cancelRestart?.();
        if (cancelRestart) fail(waiting, new AshlarError('storage-unavailable', { detail: 'the store is closed' }));
        // A last checkpoint that fails is no loss: the next start recovers from the WAL.
        else await ask('close', []).catch((error: unknown) => log?.warn({ err: error, worker: name }, 'storage:close-failed'));
        await ended;
      })();
      return closing;
    },
  };
}
