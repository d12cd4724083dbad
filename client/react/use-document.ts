import { useMemo } from 'react';
import type { DocumentOptions, UnsavedDocument } from '../documents/documents.ts';
import { type OpenDocument, watchedDocument } from '../features/open-document.ts';
import { SAVED, type SaveStatus, saveStatusOf } from '../features/save-status.ts';
import { watchedArray, watchedMap, watchedText } from '../features/shared-types.ts';
import { useClient, useDocumentClient } from './context.ts';
import { type IsEqual, type Select, useStable, useStore } from './use-store.ts';

const NO_ENTRIES: Readonly<Record<string, never>> = Object.freeze({});
const NO_ITEMS: readonly never[] = Object.freeze([]);
const NONE_UNSAVED: readonly never[] = Object.freeze([]);

/** What the hooks of a document's content need: an `OpenDocument`, or any `Y.Doc`. Null: nothing to show yet. */
export type DocumentSource = Pick<OpenDocument, 'doc'> | null;

/**
 * Opens a document while mounted: `doc` and `awareness` for an editor, `handle` for its status. After a reset it is another object
 * with another `doc`: give the editor its `generation` as `key`.
 * @param name null: none
 * @param options may be written inline. Others take effect once the edits made so far are saved
 * @returns null on a server, and until it is mounted
 */
export function useDocument(name: string | null, options?: DocumentOptions): OpenDocument | null {
  const client = useDocumentClient('useDocument');
  const given = useStable(options);
  const document = useMemo(() => (name === null ? null : watchedDocument(client, name, given)), [client, name, given]);
  return useStore(document, null);
}

/** The text of `doc.getText(name)`, without formats; '' until the document is there. */
export function useText(document: DocumentSource, name: string): string;
export function useText<Selected>(
  document: DocumentSource,
  name: string,
  select: Select<string, Selected>,
  isEqual?: IsEqual<Selected>,
): Selected;
export function useText<Selected>(
  document: DocumentSource,
  name: string,
  select?: Select<string, Selected>,
  isEqual?: IsEqual<Selected>,
): Selected {
  const doc = document?.doc;
  const text = useMemo(() => (doc === undefined ? null : watchedText(doc, name)), [doc, name]);
  return useStore(text, '', select, isEqual);
}

/**
 * What `doc.getMap(name)` holds, as frozen plain data; what did not change keeps its identity. Write to the live type:
 * `document.doc.getMap(name).set(…)`.
 */
export function useMap<Shape extends object = Record<string, unknown>>(
  document: DocumentSource,
  name: string,
): Readonly<Partial<Shape>>;
export function useMap<Shape extends object, Selected>(
  document: DocumentSource,
  name: string,
  select: Select<Readonly<Partial<Shape>>, Selected>,
  isEqual?: IsEqual<Selected>,
): Selected;
export function useMap<Shape extends object, Selected>(
  document: DocumentSource,
  name: string,
  select?: Select<Readonly<Partial<Shape>>, Selected>,
  isEqual?: IsEqual<Selected>,
): Selected {
  const doc = document?.doc;
  type Entries = Readonly<Partial<Shape>>;
  const map = useMemo(() => (doc === undefined ? null : watchedMap<Shape>(doc, name)), [doc, name]);
  return useStore<Entries, Selected>(map, NO_ENTRIES as Entries, select, isEqual);
}

/** What `doc.getArray(name)` holds, as frozen plain data; items that did not change keep their identity. */
export function useArray<Item = unknown>(document: DocumentSource, name: string): readonly Item[];
export function useArray<Item, Selected>(
  document: DocumentSource,
  name: string,
  select: Select<readonly Item[], Selected>,
  isEqual?: IsEqual<Selected>,
): Selected;
export function useArray<Item, Selected>(
  document: DocumentSource,
  name: string,
  select?: Select<readonly Item[], Selected>,
  isEqual?: IsEqual<Selected>,
): Selected {
  const doc = document?.doc;
  const array = useMemo(() => (doc === undefined ? null : watchedArray<Item>(doc, name)), [doc, name]);
  return useStore<readonly Item[], Selected>(array, NO_ITEMS, select, isEqual);
}

/**
 * The documents that the client has open with edits that are not on the server's disk, those of components that are gone too: what to
 * ask about before signing out.
 */
export function useUnsavedDocuments(): readonly UnsavedDocument[] {
  return useStore(useDocumentClient('useUnsavedDocuments').unsavedDocuments, NONE_UNSAVED);
}

/**
 * How far a document's edits have come: saved, saving, offline with so many changes, or refused. All components that have the same handle
 * share it: a refusal dismissed in one is over in the others.
 */
export function useSaveStatus(document: Pick<OpenDocument, 'handle'> | null): SaveStatus {
  const client = useClient('useSaveStatus');
  const handle = document?.handle;
  const status = useMemo(() => (handle === undefined ? null : saveStatusOf(client, handle)), [client, handle]);
  return useStore(status, SAVED);
}
