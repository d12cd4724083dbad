import { createContext, useContext } from 'react';
import type { DemoPerson } from '../../people.ts';

export const PersonContext = createContext<DemoPerson | null>(null);

/** Who is signed in. */
export function usePerson(): DemoPerson {
  const person = useContext(PersonContext);
  if (person === null) throw new Error('nobody is signed in here');
  return person;
}
