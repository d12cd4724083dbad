import type { OpenDocument } from 'ashlar/client';
import { useMap } from 'ashlar/react';

/** A page as the workspace lists it. */
export interface Page {
  /** Also the name of its document. */
  readonly id: string;
  readonly title: string;
}

type Entry = { title: string; order: number };

/** All pages, in the order they were made. */
export function usePages(workspace: OpenDocument | null): readonly Page[] {
  return useMap<Record<string, Entry>, readonly Page[]>(
    workspace,
    'pages',
    (pages) =>
      Object.entries(pages)
        .sort(([leftId, left], [rightId, right]) => (left?.order ?? 0) - (right?.order ?? 0) || leftId.localeCompare(rightId))
        .map(([id, entry]) => ({ id, title: entry?.title ?? id })),
    (left, right) => JSON.stringify(left) === JSON.stringify(right),
  );
}

/** Makes a page. @returns its id */
export function addPage(workspace: OpenDocument, title: string): string {
  const id = `page-${crypto.randomUUID().slice(0, 8)}`;
  const pages = workspace.doc.getMap<Entry>('pages');
  const order = Math.max(0, ...[...pages.values()].map((page) => page.order)) + 1;
  pages.set(id, { title, order });
  return id;
}
