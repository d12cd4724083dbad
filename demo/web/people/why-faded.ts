import type { PersonHere } from './use-people.ts';

/**
 * Why somebody's avatar is faded, in words; null: it is not. Without a connection nobody knows who is still there, whoever was at the
 * keyboard before, but of oneself one does.
 */
export function whyFaded(person: Partial<Pick<PersonHere, 'isSelf' | 'idle'>>, isConnected: boolean): string | null {
  if (!isConnected && person.isSelf !== true) return 'perhaps gone';
  return person.idle === true ? 'idle' : null;
}
