import type { CatalogEvents, PayloadOf } from '../../shared/catalog.ts';
import { onAnotherUser } from '../another-user.ts';
import type { Readable } from '../readable.ts';
import { watched } from '../watched.ts';
import type { FeatureClient } from './feature-client.ts';
import { holdRoom } from './hold-room.ts';
import { sharedStore } from './shared-store.ts';

type Progress = PayloadOf<CatalogEvents, 'batch:progress'>;

export interface BatchState {
  readonly batchId: string;
  readonly status: Progress['status'];
  /** 0 to 100. */
  readonly progress: number;
  readonly current: number;
  readonly total: number;
  /** How long it will still take at the pace seen so far, ms; null until there is one, and once it has ended. */
  readonly remainingMs: number | null;
  /** What `batch:completed` brought; null until then, and where it came before anybody asked for this batch in a room joined already. */
  readonly results: readonly unknown[] | null;
  /** How long it took, ms; null until it is completed. */
  readonly durationMs: number | null;
}

/** The batch that all parts of a page share. Null until something is known of it. */
export function batch(client: FeatureClient, batchId: string): Readable<BatchState | null> {
  return sharedStore(client, `batch:${batchId}`, (forget) => createBatch(client, batchId, forget));
}

/** A batch job: joined late or early, it shows where the job stands. Making one does nothing; it lives while somebody subscribes. */
export function createBatch(client: FeatureClient, batchId: string, onIdle: () => void = () => {}): Readable<BatchState | null> {
  const room = `batch:${batchId}`;
  let pace = createPace();
  let left = (): void => {};
  let told: Progress | null = null;
  /** When the run that goes on was last told of, Unix ms by the server's clock. */
  let runningAt = 0;
  let completed: PayloadOf<CatalogEvents, 'batch:completed'> | null = null;
  const watchUser = onAnotherUser(client.user, () => {
    pace = createPace();
    told = completed = null;
    batch.set(null);
  });
  const batch = watched<BatchState | null>(null, (store) => {
    const show = (): void => {
      if (told === null) return;
      const { status } = told;
      const ended = status === 'completed' || status === 'failed';
      const result = status === 'completed' ? completed : null;
      store.set({
        ...told,
        remainingMs: ended ? null : pace.remainingMs(),
        results: result?.results ?? null,
        durationMs: result?.duration ?? null,
      });
    };
    left();
    return [
      watchUser(),
      client.on('batch:progress', (progress, { at, room: where }) => {
        if (where !== room || progress.batchId !== batchId) return;
        pace.note(progress.progress, at);
        told = progress;
        // An older run of the same batch may have left its completion here, or in the log.
        if (progress.status !== 'completed') {
          completed = null;
          runningAt = at;
        }
        show();
      }),
      client.on('batch:completed', (completion, { at, room: where }) => {
        if (where !== room || at < runningAt) return;
        completed = completion;
        show();
      }),
      holdRoom(client, room),
      () => {
        // As long as the room is held, its completion is not told again.
        left = client.room(room).subscribe(({ state }) => {
          if (state !== 'left') return;
          left();
          onIdle();
        });
      },
    ];
  });
  return batch;
}

/** The pace of a job, from what was told of its progress. */
function createPace() {
  let first: { progress: number; at: number } | null = null;
  let last = { progress: 0, at: 0 };
  return {
    /** @param at Unix ms, by the server's clock */
    note(progress: number, at: number): void {
      // It started over.
      if (first === null || progress < last.progress) first = { progress, at };
      last = { progress, at };
    },
    remainingMs(): number | null {
      if (first === null || last.progress <= first.progress || last.at <= first.at) return null;
      return Math.round(((100 - last.progress) * (last.at - first.at)) / (last.progress - first.progress));
    },
  };
}
