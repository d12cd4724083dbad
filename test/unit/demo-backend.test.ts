import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { startAssistant } from '../../demo/backend/assistant.ts';
import type { Dashboard } from '../../demo/backend/dashboard.ts';
import { createJobs, type Jobs } from '../../demo/backend/jobs.ts';
import { JOBS, type Job } from '../../demo/jobs.ts';
import type { RealtimeServer } from '../../server/server.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

type Listener = (told: { sessionId: string; message: { content: string } }) => Promise<void>;

/** What the demo's backend needs of a server, with what it told. */
function fakeServer() {
  const doc = new Y.Doc();
  const told: [event: string, payload: Record<string, unknown>][] = [];
  let listener: Listener = async () => {};
  const realtime = {
    toRoom: async (_room: string, event: string, payload: Record<string, unknown>) => void told.push([event, payload]),
    on: (_event: string, given: Listener) => {
      listener = given;
      return () => {};
    },
    documents: {
      create: async () => ({ created: true }),
      transact: async (_name: string, change: (doc: Y.Doc) => void) => change(doc),
      read: async () => {
        const copy = new Y.Doc();
        Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc));
        return copy;
      },
    },
  } as unknown as RealtimeServer;
  return { realtime, told, say: (content: string) => listener({ sessionId: 'team', message: { content } }) };
}

const JOB: Job = { ...(JOBS[0] as Job), total: 60, perTick: 30 };
const tick = () => vi.advanceTimersByTimeAsync(250);

test('a job of the demo goes on where it was after a restart, and one that has ended does not', async () => {
  const { realtime } = fakeServer();
  const completed: string[] = [];
  const onCompleted = async ({ id }: Job, userId: string) => void completed.push(`${id} of ${userId}`);
  const first = await createJobs(realtime, { onCompleted });
  await first.start(JOB, 'anna');
  await tick();
  expect(first.progress(JOB.id)).toBe(0.5);
  await first.stop();
  const second = await createJobs(realtime, { onCompleted });
  expect(second.progress(JOB.id)).toBeCloseTo(30 / (JOBS[0] as Job).total);
  await second.stop();

  const { realtime: other } = fakeServer();
  const third = await createJobs(other, { onCompleted });
  await third.start(JOB, 'ben');
  await tick();
  await tick();
  expect([third.progress(JOB.id), completed]).toEqual([null, [`${JOB.id} of ben`]]);
  await third.stop();
  const fourth = await createJobs(other, { onCompleted });
  expect(fourth.progress(JOB.id)).toBeNull();
  await fourth.stop();
});

test('a job that runs is left to run by whoever starts it again', async () => {
  const { realtime, told } = fakeServer();
  const jobs = await createJobs(realtime, { onCompleted: async () => {} });
  await jobs.start(JOB, 'anna');
  await tick();
  await jobs.start(JOB, 'ben');
  expect(jobs.progress(JOB.id)).toBe(0.5);
  await tick();
  await jobs.stop();
  expect(told.flatMap(([event, { progress }]) => (event === 'batch:progress' ? [progress] : []))).toEqual([0, 50, 100]);
});

test('a job that is nearly done is not told as done', async () => {
  const { realtime, told } = fakeServer();
  const jobs = await createJobs(realtime, { onCompleted: async () => {} });
  await jobs.start({ ...JOB, total: 1_000, perTick: 999 }, 'anna');
  await tick();
  await jobs.stop();
  expect(told.at(-1)).toMatchObject(['batch:progress', { progress: 99, current: 999, status: 'processing' }]);
});

test('the assistant answers who turns to it, and leaves people’s talk about it alone', async () => {
  const { realtime, told, say } = fakeServer();
  const sources = { dashboard: { latest: () => 18 } as unknown as Dashboard, jobs: { progress: () => null } as unknown as Jobs };
  const stop = startAssistant(realtime, sources);
  for (const talk of ['I have asked the @assistant', '@assistants are many', 'how many orders?']) await say(talk);
  expect(told).toEqual([]);
  const answered = say(' @Assistant how many orders?');
  await vi.advanceTimersByTimeAsync(900);
  await answered;
  expect(told.map(([event, { content, isTyping }]) => [event, content ?? isTyping])).toEqual([
    ['chat:typing', true],
    ['chat:message', 'Orders per minute: 18, as of this second.'],
    ['chat:typing', false],
  ]);
  stop();
});
