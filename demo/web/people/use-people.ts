import type { OpenDocument, Person } from 'ashlar/client';
import { useAwareness } from 'ashlar/react';

/** One person in a document, however many tabs. */
export interface PersonHere {
  readonly id: string;
  readonly name: string;
  readonly color: string;
  readonly isSelf: boolean;
  /** In none of the tabs at the keyboard. */
  readonly idle: boolean;
  readonly place: string;
}

/** Who is in a document; oneself first. An unchanged list keeps its identity. */
export function usePeopleIn(document: OpenDocument | null): readonly PersonHere[] {
  return useAwareness(document, onePerPerson, (left, right) => JSON.stringify(left) === JSON.stringify(right));
}

function onePerPerson(tabs: readonly Person[]): readonly PersonHere[] {
  const people = new Map<string, PersonHere>();
  for (const { user, state, isSelf } of tabs) {
    if (user === null) continue;
    const known = people.get(user.id);
    const { idle = false, place = '' } = (state.activity ?? {}) as { idle?: boolean; place?: string };
    people.set(user.id, {
      ...user,
      isSelf: isSelf || known?.isSelf === true,
      idle: idle && known?.idle !== false,
      place: idle && known !== undefined ? known.place : place,
    });
  }
  return [...people.values()].sort(
    (left, right) => Number(right.isSelf) - Number(left.isSelf) || left.name.localeCompare(right.name),
  );
}
