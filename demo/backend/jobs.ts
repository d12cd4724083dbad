import type { RealtimeServer } from 'ashlar/server';
import { JOBS, type Job } from '../jobs.ts';

export interface Jobs {
  /** Starts a job; one that runs is left to run. */
  start(job: Job, userId: string): Promise<void>;
  /** How far a job has come, 0 to 1; null while it does not run. */
  progress(id: string): number | null;
  stop(): Promise<void>;
}

export interface JobEvents {
  onCompleted(job: Job, userId: string): Promise<void>;
}

interface Run {
  readonly job: Job;
  readonly userId: string;
  readonly startedAt: number;
  current: number;
}

/** What is kept of a run. */
type Kept = Pick<Run, 'userId' | 'startedAt' | 'current'>;

const TICK_MS = 250;
/** A backend document: nobody but the backend opens it. */
const DOCUMENT = 'backend-jobs';

/** Batch jobs that tell how far they are, and that go on where they were after a crash. */
export async function createJobs(realtime: RealtimeServer, { onCompleted }: JobEvents): Promise<Jobs> {
  const runs = new Map<string, Run>();
  let work = Promise.resolve();

  const keep = (job: Job, kept: Kept | null): Promise<void> =>
    realtime.documents.transact(DOCUMENT, (doc) => {
      const map = doc.getMap<Kept>('runs');
      if (kept === null) map.delete(job.id);
      else map.set(job.id, kept);
    });
  const tell = async ({ job, current }: Run): Promise<void> => {
    const progress = Math.floor((current / job.total) * 100);
    const status = current < job.total ? 'processing' : 'completed';
    await realtime.toRoom(`batch:${job.id}`, 'batch:progress', {
      batchId: job.id,
      progress,
      current,
      total: job.total,
      status,
    });
  };
  const advance = async (run: Run): Promise<void> => {
    const { job, userId, startedAt } = run;
    run.current = Math.min(job.total, run.current + job.perTick);
    await keep(job, { userId, startedAt, current: run.current });
    if (run.current === job.total) {
      const results = [{ done: job.total, failed: 0 }];
      await realtime.toRoom(`batch:${job.id}`, 'batch:completed', { batchId: job.id, results, duration: Date.now() - startedAt });
    }
    await tell(run);
    if (run.current < job.total) return;
    runs.delete(job.id);
    await keep(job, null);
    await onCompleted(job, userId);
  };

  await realtime.documents.create(DOCUMENT);
  const before = await realtime.documents.read(DOCUMENT);
  for (const [id, kept] of before.getMap<Kept>('runs')) {
    const job = JOBS.find((one) => one.id === id);
    if (job !== undefined) runs.set(id, { job, ...kept });
  }
  before.destroy();

  const timer = setInterval(() => {
    work = work.then(async () => {
      for (const run of [...runs.values()]) await advance(run);
    });
    work = work.catch((error: unknown) => console.error('demo: jobs:', error));
  }, TICK_MS);

  return {
    async start(job, userId) {
      if (runs.has(job.id)) return;
      const run = { job, userId, startedAt: Date.now(), current: 0 };
      runs.set(job.id, run);
      await tell(run);
    },
    progress(id) {
      const run = runs.get(id);
      return run === undefined ? null : run.current / run.job.total;
    },
    async stop() {
      clearInterval(timer);
      await work;
    },
  };
}
