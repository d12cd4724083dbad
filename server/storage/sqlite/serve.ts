import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { invariant } from '../../../shared/errors.ts';
import { type Question, sendError, type WorkerMessage, type WorkerSettings } from './messages.ts';
import { storageError } from './storage-error.ts';

/** A worker's end of the line to the main thread. */
interface Line {
  readonly settings: WorkerSettings;
  readonly port: MessagePort;
  send(message: WorkerMessage, transfer?: ArrayBuffer[]): void;
  /** Answers with what `work` returns or throws. */
  answer(id: number, work: () => { value: unknown; transfer?: ArrayBuffer[] }): void;
  /** Says `refused` where `prepare` fails: then the thread ends. */
  start(prepare: () => Promise<(question: Question) => void>): Promise<void>;
}

export function openLine(): Line {
  const port = parentPort;
  invariant(port, 'this file is started as a worker');
  const send = (message: WorkerMessage, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);
  return {
    settings: workerData as WorkerSettings,
    port,
    send,
    answer(id, work) {
      try {
        const { value, transfer } = work();
        send({ type: 'answer', id, value }, transfer);
      } catch (thrown) {
        send({ type: 'failed', id, error: sendError(storageError(thrown)) });
      }
    },
    async start(prepare) {
      try {
        port.on('message', await prepare());
        send({ type: 'ready' });
      } catch (thrown) {
        send({ type: 'refused', error: sendError(storageError(thrown)) });
        port.close();
      }
    },
  };
}
