import type { Client, OpenDocument } from 'ashlar/client';
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
  return typeof title === 'string' && Number.isFinite(order);
};
const isName = (id: string): boolean => {
  try {
    documentRoom(id);
    return true;
  } catch {
    return false;
  }
};

/** The pages that `pages` of the workspace's document holds, in the order they were made: the same one for everybody. */
export function pagesOf(stored: Readonly<Record<string, unknown>>): readonly Page[] {
  return Object.entries(stored)
    .flatMap(([id, entry]) => (isEntry(entry) && isName(id) ? [{ ...entry, id }] : []))
    .sort((left, right) => left.order - right.order || (left.id < right.id ? -1 : 1))
    .map(({ id, title }) => ({ id, title }));
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
