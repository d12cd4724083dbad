import type { StoreSpace } from './store.ts';

/** How what is stored stands to its quota. */
export type QuotaState = 'ok' | 'warning' | 'full';

export interface QuotaWatch {
  /** Part of the quota at which the alarm goes. */
  readonly warnAt: number;
  readonly log: Record<'info' | 'warn' | 'error', (fields: object, message: string) => void>;
  /** Told of each change, once. */
  changed(now: { state: QuotaState; bytes: number; quota: number }): void;
}

/** An alarm ends this much of the quota below where it began, so that a store at the edge does not ring for every record. */
const ENDS_BELOW = 0.05;
const LEVELS = { ok: 'info', warning: 'warn', full: 'error' } as const;

/** Makes what is told how much is stored, and rings while it can still be helped. */
export function watchQuota({ warnAt, log, changed }: QuotaWatch): (space: StoreSpace) => void {
  let state: QuotaState = 'ok';
  return ({ bytes, quota, full }) => {
    if (quota === null) return;
    const alarmed = state === 'ok' ? warnAt : warnAt - ENDS_BELOW;
    const next = full ? 'full' : bytes >= quota * alarmed ? 'warning' : 'ok';
    if (next === state) return;
    state = next;
    log[LEVELS[state]]({ state, bytes, quota }, 'storage:quota');
    changed({ state, bytes, quota });
  };
}
