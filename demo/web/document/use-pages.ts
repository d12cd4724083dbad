import type { Client, OpenDocument } from 'ashlar/client';
import { useMap } from 'ashlar/react';
import { documentRoom } from 'ashlar/shared';
import * as Y from 'yjs';
import { KEPT } from '../offline/kept-documents.ts';

/** A page as the workspace lists it. */
export interface Page {
  /** Also the name of its document. */
  readonly id: string;
  readonly title: string;
}

type Entry = { title: string; order: number };

// Whoever may write into a document may write anything into it.
const isEntry = (entry: unknown): entry is Entry => {
  const { title, order } = (entry ?? {}) as Partial<Entry>;
  return typeof title === 'string' && typeof order === 'number';
};
const isName = (id: string): boolean => {
  try {
    documentRoom(id);
    return true;
  } catch {
    return false;
  }
};

/** All pages, in the order they were made. */
export function usePages(workspace: OpenDocument | null): readonly Page[] {
  return useMap<Record<string, Entry>, readonly Page[]>(
    workspace,
    'pages',
    (pages) =>
      Object.entries<unknown>(pages)
        .flatMap(([id, entry]) => (isEntry(entry) && isName(id) ? [{ ...entry, id }] : []))
        .sort((left, right) => left.order - right.order || left.id.localeCompare(right.id))
        .map(({ id, title }) => ({ id, title })),
    (left, right) => JSON.stringify(left) === JSON.stringify(right),
  );
}

/** Makes a page, also without a network. @returns its id */
export function addPage(client: Pick<Client, 'document'>, workspace: OpenDocument, title: string): string {
  const id = `page-${crypto.randomUUID().slice(0, 8)}`;
  const pages = workspace.doc.getMap<Entry>('pages');
  const order = Math.max(0, ...[...pages.values()].map((page) => (isEntry(page) ? page.order : 0))) + 1;
  const page = client.document(id, KEPT);
  // A line to write in: two who open an empty page at once would each begin one.
  page.doc.getXmlFragment('default').push([new Y.XmlElement('paragraph')]);
  page.destroy();
  pages.set(id, { title, order });
  return id;
}
