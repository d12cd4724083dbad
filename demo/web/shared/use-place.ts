import { useSyncExternalStore } from 'react';

/** Where the visitor is: `#/pages/page-welcome`, `#/board`, `#/dashboard`, `#/chat`. */
export interface Place {
  readonly view: 'pages' | 'board' | 'dashboard' | 'chat';
  /** The page's document. */
  readonly page: string;
}

const FIRST_PAGE = 'page-welcome';

export function usePlace(): Place {
  const hash = useSyncExternalStore(subscribe, () => window.location.hash);
  const [view, page] = hash.replace(/^#\//, '').split('/');
  if (view === 'board' || view === 'dashboard' || view === 'chat') return { view, page: FIRST_PAGE };
  return { view: 'pages', page: page || FIRST_PAGE };
}

function subscribe(listener: () => void): () => void {
  window.addEventListener('hashchange', listener);
  return () => window.removeEventListener('hashchange', listener);
}
