import type { DocumentStatus, OpenDocument, Person, Readable } from 'ashlar/client';
import { useAwareness, useReadable } from 'ashlar/react';
import { useEffect, useMemo, useState } from 'react';

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

const OFFLINE: DocumentStatus = { state: 'offline' };
const NOWHERE: Readable<DocumentStatus> = { get: () => OFFLINE, subscribe: () => () => {} };

const NOBODY: readonly PersonHere[] = [];

/**
 * Who is in a document; oneself first. While it is out of its room, that is not told: it is those who were there when it was last in.
 * An unchanged list keeps its identity.
 */
export function usePeopleIn(document: OpenDocument | null): readonly PersonHere[] {
  const present = useAwareness(document, onePerPerson, (left, right) => JSON.stringify(left) === JSON.stringify(right));
  const isAway = useReadable(document?.handle.status ?? NOWHERE, ({ state }) => state === 'offline' || state === 'joining');
  const name = document?.name;
  const [known, setKnown] = useState({ name, people: NOBODY });
  useEffect(() => {
    if (!isAway) setKnown({ name, people: present });
  }, [isAway, name, present]);
  return useMemo(() => {
    if (!isAway) return present;
    const others = known.name === name ? known.people.filter(({ isSelf }) => !isSelf) : NOBODY;
    return [...present.filter(({ isSelf }) => isSelf), ...others];
  }, [isAway, name, present, known]);
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
