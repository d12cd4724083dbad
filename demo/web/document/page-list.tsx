import type { OpenDocument } from 'ashlar/client';
import { useRealtime } from 'ashlar/react';
import { type FormEvent, useState } from 'react';
import { mayWrite, rememberAccess, useAccess } from '../offline/remembered-access.ts';
import { focusSoon } from '../shared/focus-keeper.ts';
import { Icon } from '../shared/icon.tsx';
import { usePerson } from '../shared/person-context.ts';
import { addPage, type Page } from './pages.ts';
import { useSidewaysScroll } from './use-sideways-scroll.ts';

/** The workspace's pages, and a field for a new one. */
export function PageList({ workspace, pages, current }: { workspace: OpenDocument; pages: readonly Page[]; current: string }) {
  const access = useAccess(workspace);
  const client = useRealtime();
  const { id: ownId } = usePerson();
  const [title, setTitle] = useState<string | null>(null);
  const { scroller, edges, onScroll, onFocus } = useSidewaysScroll(
    pages,
    pages.some(({ id }) => id === current) ? current : null,
  );
  const add = (event: FormEvent): void => {
    event.preventDefault();
    const name = title?.trim() ?? '';
    setTitle(null);
    if (name === '') return;
    const id = addPage(client, workspace, name);
    // Made without a network, it is there to write in at once.
    rememberAccess(ownId, id, 'write');
    focusSoon(id);
    window.location.hash = `#/pages/${id}`;
  };
  return (
    <nav className="page-list" aria-label="Pages">
      <h2>Pages</h2>
      <div className="page-links">
        <ul ref={scroller} onScroll={onScroll} onFocus={onFocus}>
          {pages.map(({ id, title: name }) => (
            <li key={id}>
              <a href={`#/pages/${id}`} title={name} aria-current={id === current ? 'page' : undefined}>
                {name}
              </a>
            </li>
          ))}
        </ul>
        {edges.map((edge) => (
          <span key={edge} className={`more-pages more-pages-${edge}`} aria-hidden="true">
            <Icon name={edge} />
          </span>
        ))}
      </div>
      {mayWrite(access) ? (
        title === null ? (
          <button type="button" className="button" id="new-page" onClick={() => setTitle('')}>
            <Icon name="plus" /> New page
          </button>
        ) : (
          <form onSubmit={add} data-focus-next="#new-page">
            <input
              // biome-ignore lint/a11y/noAutofocus: the visitor has just asked for this field.
              autoFocus
              aria-label="Title of the new page"
              placeholder="Title, then Enter"
              value={title}
              maxLength={80}
              onChange={({ target }) => setTitle(target.value)}
              onKeyDown={({ key }) => key === 'Escape' && setTitle(null)}
              onBlur={() => title === '' && setTitle(null)}
            />
          </form>
        )
      ) : null}
    </nav>
  );
}
