import type { AshlarError } from '../../shared/errors.ts';

/** What to do about a refused join: nothing (the connection went), start over, take a new client id, try again, or give up. */
export type JoinRefusal = 'ignore' | 'reset' | 'new-id' | 'retry' | 'refused';

/** @param hasOwnContent something was written under the client id that the join named */
export function judgeJoinRefusal({ code, retry }: AshlarError, hasOwnContent: boolean): JoinRefusal {
  if (code === 'not-connected') return 'ignore';
  if (code === 'gone') return 'reset';
  // With nothing under the old id, changing it in place leaves nothing behind.
  if (code === 'id-in-use' || code === 'foreign-client-id') return hasOwnContent ? 'reset' : 'new-id';
  return retry === 'later' || retry === 'rejoin' ? 'retry' : 'refused';
}

/** What to do about a refused update: join again, send it again later, or start over without it. */
export function judgeUpdateRefusal({ code, retry }: AshlarError): 'rejoin' | 'hold' | 'reset' {
  if (code === 'not-a-member') return 'rejoin';
  return retry === 'later' ? 'hold' : 'reset';
}

/** Whether users need to hear of it: what the SDK mends by itself in a moment is no error to them. */
export function isWorthTelling({ code }: AshlarError): boolean {
  return code !== 'rate-limited' && code !== 'counter-gap' && code !== 'not-a-member';
}
