import type { OpenDocument } from 'ashlar/client';
import { useMap } from 'ashlar/react';
import { type Page, pagesOf } from './pages.ts';

/** All pages, in the order they were made. */
export function usePages(workspace: OpenDocument | null): readonly Page[] {
  return useMap<Record<string, unknown>, readonly Page[]>(
    workspace,
    'pages',
    pagesOf,
    (left, right) => JSON.stringify(left) === JSON.stringify(right),
  );
}
