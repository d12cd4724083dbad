import type { OpenDocument } from 'ashlar/client';
import { useReadable } from 'ashlar/react';
import { useConnectionTrouble } from '../connection/connection-state.tsx';
import { NotLoaded, useIsNotLoaded } from '../offline/not-loaded.tsx';
import { DocumentView } from './document-view.tsx';
import { PageList } from './page-list.tsx';
import type { Page } from './pages.ts';

export interface PagesViewProps {
  workspace: OpenDocument;
  pages: readonly Page[];
  /** The one that is asked for. */
  page: string;
  /** Its document, once it is open. */
  document: OpenDocument | null;
}

/** The pages, and the one that is open. */
export function PagesView({ workspace, pages, page, document }: PagesViewProps) {
  const known = pages.find(({ id }) => id === page);
  return (
    <div className="pages">
      <PageList workspace={workspace} pages={pages} current={page} />
      {known === undefined ? (
        <UnlistedPage workspace={workspace} first={pages[0]} />
      ) : document === null ? null : (
        <DocumentView key={page} document={document} title={known.title} />
      )}
    </div>
  );
}

/** What stands in the place of a page that the list does not have. @param first where to go instead */
function UnlistedPage({ workspace, first }: { workspace: OpenDocument; first: Page | undefined }) {
  // The server's own list tells that it is not there: one of before may lack the newest pages.
  const isListNew = useReadable(workspace.handle.status, ({ state }) => state === 'synced');
  const trouble = useConnectionTrouble();
  const isNotLoaded = useIsNotLoaded(workspace);
  return (
    <article className="view page" aria-label="Page">
      <div className="empty">
        {isListNew ? (
          <>
            <h1>This page does not exist</h1>
            <p>The address may be mistyped. All pages of this workspace are in the list.</p>
            {first === undefined ? null : (
              <p>
                <a href={`#/pages/${first.id}`}>Go to “{first.title}”</a>
              </p>
            )}
          </>
        ) : isNotLoaded ? (
          <NotLoaded />
        ) : trouble === null ? (
          <p>Opening…</p>
        ) : (
          <>
            <p>
              <strong>This page is not on this device.</strong>
            </p>
            <p>It opens, if there is such a page, when the connection is back.</p>
          </>
        )}
      </div>
    </article>
  );
}
