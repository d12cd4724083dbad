import { useWebSocket, useWebSocketRoom } from 'ashlar/react';
import { useState } from 'react';
import { BackendButton } from '../shared/backend-button.tsx';

interface Change {
  readonly key: number;
  readonly updatedAt: string;
  readonly changes: { readonly added: number; readonly modified: number; readonly deleted: number };
}

const SHOWN = 5;

/** The newest changes of the catalog: those from before the visit, and each as it happens. */
export function CatalogChanges() {
  const [changes, setChanges] = useState<readonly Change[]>([]);
  useWebSocket('catalog:updated', (data, { seq, at }) => {
    const key = seq ?? at;
    setChanges((before) =>
      before.some((known) => known.key === key)
        ? before
        : [{ key, ...data }, ...before].sort((left, right) => right.key - left.key).slice(0, SHOWN),
    );
  });
  useWebSocketRoom('catalog');
  return (
    <section className="card" aria-labelledby="catalog">
      <div className="row-head">
        <h2 id="catalog">Catalog</h2>
        <BackendButton path="catalog">Change something</BackendButton>
      </div>
      {changes.length === 0 ? <p className="muted">No change yet.</p> : null}
      <ul className="rows" aria-live="polite">
        {changes.map(({ key, updatedAt, changes: { added, modified, deleted } }) => (
          <li key={key} className="catalog-change">
            <time dateTime={updatedAt} className="muted">
              {new Date(updatedAt).toLocaleTimeString('en', { hour: '2-digit', minute: '2-digit', hour12: false })}
            </time>
            <ul className="counts">
              {added === 0 ? null : (
                <li>
                  <b className="added">+{added}</b> new
                </li>
              )}
              {modified === 0 ? null : (
                <li>
                  <b>{modified}</b> changed
                </li>
              )}
              {deleted === 0 ? null : (
                <li>
                  <b className="deleted">−{deleted}</b> gone
                </li>
              )}
            </ul>
          </li>
        ))}
      </ul>
    </section>
  );
}
