import { JOBS } from '../../jobs.ts';
import { BatchRow } from './batch-row.tsx';

/** The jobs that can be started, each with how far it is. @param stale why that is not known now, such as `stale since 12:00:00`; null: it is */
export function BatchList({ stale }: { stale: string | null }) {
  return (
    <section className="card" aria-labelledby="jobs">
      <h2 id="jobs">Jobs</h2>
      <ul className="rows">
        {JOBS.map((job) => (
          <BatchRow key={job.id} job={job} stale={stale} />
        ))}
      </ul>
    </section>
  );
}
