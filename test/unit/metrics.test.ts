import { expect, test } from 'vitest';
import { Metrics, type MetricsNow } from '../../server/metrics.ts';

const NOTHING: MetricsNow = {
  connections: 0,
  users: 0,
  rooms: 0,
  members: 0,
  queuedBytes: 0,
  queuedBytesMost: 0,
  stored: null,
};

function createMetrics() {
  let isStopped = false;
  const lag = {
    take: () => ({ mean: 1, p99: 20, max: 300 }),
    stop() {
      isStopped = true;
    },
  };
  const metrics = new Metrics(() => NOTHING, lag);
  const read = async (name: string): Promise<number> => {
    const line = (await metrics.render()).split('\n').find((one) => one.startsWith(`ashlar_${name} `));
    return Number(line?.split(' ')[1]);
  };
  return { metrics, read, isStopped: () => isStopped };
}

test('records count as on disk once their commit has ended well, and a commit that failed counts as that alone', async () => {
  const { metrics, read } = createMetrics();
  metrics.committed(2, 40, true);
  metrics.committed(3, 7, false);
  expect([await read('committed_records_total'), await read('failed_commits_total')]).toEqual([40, 1]);
  expect([await read('commit_seconds_count'), await read('commit_seconds_sum')]).toEqual([2, 0.005]);
});

test('times are told in seconds, and the event loop is watched until the end, no longer', async () => {
  const { metrics, read, isStopped } = createMetrics();
  metrics.documentHeld(250);
  expect(await read('document_work_seconds_sum')).toBe(0.25);
  expect([await read('event_loop_lag_mean_seconds'), await read('event_loop_lag_max_seconds')]).toEqual([0.001, 0.3]);
  expect(isStopped()).toBe(false);
  metrics.close();
  expect(isStopped()).toBe(true);
});
