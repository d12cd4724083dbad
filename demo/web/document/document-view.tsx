import type { OpenDocument } from 'ashlar/client';
import { useReadable } from 'ashlar/react';
import { lazy, Suspense } from 'react';
import { RefusedEdits } from '../connection/refused-edits.tsx';
import { useHasStopped } from '../offline/has-stopped.ts';
import { useIsNotLoaded } from '../offline/not-loaded.tsx';
import { mayWrite, useAccess } from '../offline/remembered-access.ts';
import { WhenHere } from '../offline/when-here.tsx';
import { PeopleHere } from '../people/people-here.tsx';
import { Icon } from '../shared/icon.tsx';
import { pageText } from './page-text.ts';
import { Sharing } from './sharing.tsx';

// The editor is most of what the app weighs: it comes when a page is opened.
const Editor = lazy(() => import('./editor.tsx').then((module) => ({ default: module.Editor })));

/** A page. */
export function DocumentView({ document, title }: { document: OpenDocument; title: string }) {
  const access = useAccess(document);
  const hasStopped = useHasStopped(document);
  const editable = mayWrite(access) && !hasStopped;
  const status = useReadable(document.handle.status);
  const isNotLoaded = useIsNotLoaded(document);
  const refused = status.state === 'refused' && !isNotLoaded;
  const readOnly = access === 'read' && !refused;
  return (
    <article className={readOnly ? 'view page page-read-only' : 'view page'} aria-label={title}>
      <header className="view-head page-head">
        <h1 title={title}>{title}</h1>
        {readOnly ? (
          <span className="read-only-mark" role="status">
            <Icon name="lock" /> You may only read this page
          </span>
        ) : null}
        {refused ? null : (
          <div className="actions">
            <PeopleHere document={document} />
            {access === 'admin' ? <Sharing page={document.name} /> : null}
          </div>
        )}
      </header>
      <RefusedEdits document={document} title={title} text={(doc) => pageText(title, doc)} />
      {refused ? (
        <p className="empty" role="status" data-focus-home>
          This page is not open to you.
        </p>
      ) : (
        <WhenHere document={document} what="page">
          <Suspense fallback={<p className="empty">Opening…</p>}>
            <Editor key={document.generation} document={document} title={title} editable={editable} />
          </Suspense>
        </WhenHere>
      )}
    </article>
  );
}
