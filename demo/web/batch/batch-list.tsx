import { JOBS } from '../../jobs.ts';
import { BatchRow } from './batch-row.tsx';

/** The jobs that can be started, each with how far it is. */
export function BatchList() {
  return (
    <section className="card" aria-labelledby="jobs">
      <h2 id="jobs">Jobs</h2>
      <ul className="rows">
        {JOBS.map((job) => (
          <BatchRow key={job.id} job={job} />
        ))}
      </ul>
    </section>
  );
}
