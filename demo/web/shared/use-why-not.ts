import { mayChangeThings } from '../../people.ts';
import { useConnectionTrouble } from '../connection/connection-state.tsx';
import { usePerson } from './person-context.ts';

/** Why this person can ask nothing of the backend now, in a sentence; null: they can. */
export function useWhyNot(): string | null {
  const person = usePerson();
  const trouble = useConnectionTrouble();
  if (!mayChangeThings(person)) return 'You are a guest: you may look, not touch.';
  return trouble === null ? null : 'These buttons need the connection, and work again when it is back.';
}
