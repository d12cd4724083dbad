import { randomUUID } from 'node:crypto';
import type { RealtimeServer } from 'ashlar/server';
import type { Job } from '../jobs.ts';

export interface Notifier {
  jobCompleted(job: Job, userId: string): Promise<void>;
  /** To one user. */
  reminder(userId: string): Promise<void>;
  /** To everybody. */
  announcement(from: string): Promise<void>;
}

export function createNotifier(realtime: RealtimeServer): Notifier {
  const note = (title: string, message: string) =>
    ({ id: randomUUID(), level: 'info', title, message, timestamp: new Date().toISOString() }) as const;
  return {
    async jobCompleted({ title, total, unit }, userId) {
      await realtime.toUser(userId, 'system:notification', note('Job done', `${title}: ${total} ${unit}, none failed.`));
    },
    async reminder(userId) {
      const text = 'You asked to be reminded. It is on your other devices as well: read it on one, and it is read on all.';
      await realtime.toUser(userId, 'system:notification', note('Reminder', text));
    },
    async announcement(from) {
      await realtime.broadcast('system:notification', note('For everybody', `${from} says hello to all who work here.`));
    },
  };
}
