import { useMemo } from 'react';
import type { OpenDocument } from '../features/open-document.ts';
import { type Person, watchedPeople } from '../features/people.ts';
import type { PresenceState } from './register.ts';
import { type IsEqual, itself, type Select, useStore } from './use-store.ts';

type People = readonly Person<PresenceState>[];
type Present = Pick<OpenDocument, 'awareness'> | null;

const NOBODY: People = Object.freeze([]);

/**
 * Everybody who has the document open, oneself included, once per tab. Show yourself by
 * `document.awareness.setLocalStateField('pointer', …)`.
 */
export function useAwareness(document: Present): People;
export function useAwareness<Selected>(
  document: Present,
  select: Select<People, Selected>,
  isEqual?: IsEqual<Selected>,
): Selected;
export function useAwareness<Selected>(
  document: Present,
  select?: Select<People, Selected>,
  isEqual?: IsEqual<Selected>,
): Selected {
  const awareness = document?.awareness;
  const people = useMemo(() => (awareness === undefined ? null : watchedPeople<PresenceState>(awareness)), [awareness]);
  return useStore(people, NOBODY, select, isEqual);
}

/** Everybody else. @param select picks a part: `(others) => others.map(({ user }) => user?.name)`; only its changes render */
export function useOthers(document: Present): People;
export function useOthers<Selected>(document: Present, select: Select<People, Selected>, isEqual?: IsEqual<Selected>): Selected;
export function useOthers<Selected>(
  document: Present,
  select: Select<People, Selected> = itself as Select<People, Selected>,
  isEqual?: IsEqual<Selected>,
): Selected {
  return useAwareness(document, (people) => select(people.filter(({ isSelf }) => !isSelf)), isEqual);
}

/** One's own entry, as others see it; null until the document is there. */
export function useSelf(document: Present): Person<PresenceState> | null;
export function useSelf<Selected>(
  document: Present,
  select: Select<Person<PresenceState> | null, Selected>,
  isEqual?: IsEqual<Selected>,
): Selected;
export function useSelf<Selected>(
  document: Present,
  select: Select<Person<PresenceState> | null, Selected> = itself as Select<Person<PresenceState> | null, Selected>,
  isEqual?: IsEqual<Selected>,
): Selected {
  return useAwareness(document, (people) => select(people.find(({ isSelf }) => isSelf) ?? null), isEqual);
}
