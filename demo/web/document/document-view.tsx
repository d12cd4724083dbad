import type { OpenDocument } from 'ashlar/client';
import { useReadable } from 'ashlar/react';
import { lazy, Suspense } from 'react';
import { RefusedEdits } from '../connection/save-state.tsx';
import { useAccess } from '../offline/remembered-access.ts';
import { WhenHere } from '../offline/when-here.tsx';
import { PeopleHere } from '../people/people-here.tsx';
import { catchFocus } from '../shared/catch-focus.ts';
import { Icon } from '../shared/icon.tsx';
import { PageList } from './page-list.tsx';
import { Sharing } from './sharing.tsx';
import { usePages } from './use-pages.ts';

// The editor is most of what the app weighs: it comes when a page is opened.
const Editor = lazy(() => import('./editor.tsx').then((module) => ({ default: module.Editor })));

/** The pages, and the one that is open. */
export function DocumentView({ workspace, document, page }: { workspace: OpenDocument; document: OpenDocument; page: string }) {
  const title = usePages(workspace).find(({ id }) => id === page)?.title ?? 'Page';
  const access = useAccess(document);
  const status = useReadable(document.handle.status);
  const refused = status.state === 'refused';
  const readOnly = access === 'read';
  return (
    <div className="pages">
      <PageList workspace={workspace} current={page} />
      <article className={readOnly ? 'view page page-read-only' : 'view page'} aria-label={title}>
        <header className="view-head page-head">
          <p className="page-title">{title}</p>
          {readOnly ? (
            <span className="read-only-mark" role="status">
              <Icon name="lock" /> You may only read this page
            </span>
          ) : null}
          <div className="actions">
            <PeopleHere document={document} />
            {access === 'admin' ? <Sharing page={page} /> : null}
          </div>
        </header>
        <RefusedEdits document={document} />
        {refused ? (
          <p className="empty" ref={catchFocus} tabIndex={-1}>
            This page is not open to you.
          </p>
        ) : (
          <WhenHere document={document} what="page">
            <Suspense fallback={<p className="empty">Opening…</p>}>
              <Editor
                key={document.generation}
                document={document}
                title={title}
                editable={access === 'write' || access === 'admin'}
              />
            </Suspense>
          </WhenHere>
        )}
      </article>
    </div>
  );
}
