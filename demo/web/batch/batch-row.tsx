import type { BatchState } from 'ashlar/client';
import { useBatch } from 'ashlar/react';
import type { Job } from '../../jobs.ts';
import { BackendButton } from '../shared/backend-button.tsx';

/** A job: its progress, how long it will take, and that it is done. @param stale as in `BatchList` */
export function BatchRow({ job, stale }: { job: Job; stale: string | null }) {
  const batch = useBatch(job.id);
  const running = batch?.status === 'processing' || batch?.status === 'pending';
  // What has ended stays as it is.
  const outdated = batch === null || running ? stale : null;
  return (
    <li className={outdated === null ? 'batch' : 'batch batch-stale'} data-batch={job.id}>
      <div className="row-head">
        <strong id={`job-${job.id}`}>{job.title}</strong>
        <BackendButton path={`jobs/${job.id}`} disabled={running}>
          {batch?.status === 'completed' ? 'Run again' : 'Start'}
        </BackendButton>
      </div>
      <div
        className={`progress progress-${batch?.status ?? 'none'}`}
        role="progressbar"
        aria-labelledby={`job-${job.id}`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={batch?.progress ?? 0}
      >
        <span style={{ width: `${batch?.progress ?? 0}%` }} />
      </div>
      <p className="muted batch-state">{describe(batch, job, outdated)}</p>
    </li>
  );
}

function describe(batch: BatchState | null, { unit, total }: Job, stale: string | null): string {
  const number = (value: number): string => value.toLocaleString('en');
  if (batch === null) return `${number(total)} ${unit}, ${stale ?? 'not started'}`;
  if (batch.status === 'completed') {
    const took = batch.durationMs === null ? '' : ` in ${Math.round(batch.durationMs / 1_000)} s`;
    return `Done: ${number(batch.total)} ${unit}${took}`;
  }
  if (batch.status === 'failed') return `Failed after ${number(batch.current)} of ${number(batch.total)} ${unit}`;
  const left = batch.remainingMs === null ? null : `about ${Math.ceil(batch.remainingMs / 1_000)} s left`;
  return [`${number(batch.current)} of ${number(batch.total)} ${unit}`, stale ?? left].filter((part) => part !== null).join(', ');
}
