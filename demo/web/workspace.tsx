import { useChat, useDocument, useRealtime } from 'ashlar/react';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { DemoPerson } from '../people.ts';
import { BoardView } from './board/board-view.tsx';
import { ChatPanel } from './chat/chat-panel.tsx';
import { ConnectionBanner, ConnectionPill } from './connection/connection-state.tsx';
import { CutButton } from './connection/cut-button.tsx';
import { SaveState } from './connection/save-state.tsx';
import type { SwitchedNetwork } from './connection/switched-network.ts';
import { DashboardView } from './dashboard/dashboard-view.tsx';
import { PagesView } from './document/pages-view.tsx';
import { usePages } from './document/use-pages.ts';
import { Bell } from './notifications/bell.tsx';
import { Toasts } from './notifications/toasts.tsx';
import { KEPT } from './offline/kept-documents.ts';
import { forgetAccess } from './offline/remembered-access.ts';
import { unsavedInBrowser } from './offline/unsaved-in-browser.ts';
import { unsavedInStorage } from './offline/unsaved-in-storage.ts';
import { useKeptDocuments } from './offline/use-kept-documents.ts';
import { PeopleOnline } from './people/people-online.tsx';
import { useActivity } from './people/use-activity.ts';
import { SecondPerson } from './second-person/second-person.tsx';
import { Contained } from './shared/failure.tsx';
import { Icon, type IconName } from './shared/icon.tsx';
import { PersonContext } from './shared/person-context.ts';
import { type Place, usePlace } from './shared/use-place.ts';
import { framedAs } from './sign-in/remembered-person.ts';
import { StatusBanner } from './system-status/status-banner.tsx';

const VIEWS: readonly { readonly view: Place['view']; readonly label: string; readonly icon: IconName }[] = [
  { view: 'pages', label: 'Pages', icon: 'page' },
  { view: 'board', label: 'Board', icon: 'board' },
  { view: 'dashboard', label: 'Dashboard', icon: 'chart' },
  { view: 'chat', label: 'Chat', icon: 'chat' },
];

/** What documents that are no pages are called. */
const TITLES: Readonly<Record<string, string>> = { workspace: 'the list of pages', board: 'Board' };

export interface WorkspaceProps {
  person: DemoPerson;
  network: SwitchedNetwork;
  onSignOut: () => void;
}

/** The frame around the views: where one is, who is there, how the connection is. */
export function Workspace({ person, network, onSignOut }: WorkspaceProps) {
  const { view, page } = usePlace();
  const [second, setSecond] = useState(false);
  const client = useRealtime();
  const workspace = useDocument('workspace', KEPT);
  const pages = usePages(workspace);
  // An address may name anything: what the list does not have is not opened.
  const listed = pages.some(({ id }) => id === page) ? page : null;
  const open = useDocument(view === 'pages' ? listed : view === 'board' ? 'board' : null, KEPT);
  const isChatUnsent = useChat('team', ({ messages }) => messages.some(({ status }) => status !== 'sent'));
  const names = useMemo(() => ['workspace', 'board', ...pages.map(({ id }) => id)], [pages]);
  const kept = useKeptDocuments(names);
  const label = VIEWS.find((one) => one.view === view)?.label ?? '';
  useActivity(workspace, label);
  useActivity(open, label);
  useEffect(() => {
    document.title = `${label} · Ashlar workspace`;
  }, [label]);
  const titleOf = (name: string): string => pages.find(({ id }) => id === name)?.title ?? TITLES[name] ?? 'a page';
  const isLeaving = useRef(false);
  const signOut = async (): Promise<void> => {
    // It takes a moment until what is kept was looked at.
    if (isLeaving.current) return;
    isLeaving.current = true;
    try {
      await leave();
    } finally {
      isLeaving.current = false;
    }
  };
  const leave = async (): Promise<void> => {
    // The second person leaves with the first.
    const theirs = [...document.querySelectorAll('iframe')].flatMap((frame) => frame.contentWindow?.unsavedDocuments?.() ?? []);
    const here = [...new Set([...kept.unsaved(), ...theirs])];
    // What is kept for them goes as well, and what was not taken from tabs that are closed.
    const elsewhere = (await Promise.all([unsavedInBrowser(), unsavedInStorage(person.id, names)])).flat();
    const otherTabs = [...new Set(elsewhere)].filter((name) => !here.includes(name));
    const unsaved = [
      ...here.map(titleOf),
      ...otherTabs.map((name) => `${titleOf(name)} in another tab`),
      ...(isChatUnsent ? ['the chat'] : []),
    ].join(', ');
    const question = `Some changes are not saved yet, and would be lost (${unsaved}). Sign out?`;
    if (unsaved !== '' && !window.confirm(question)) return;
    // Where the browser keeps nothing there is nothing to clear.
    await client.clearOffline().catch(() => {});
    forgetAccess();
    onSignOut();
  };
  return (
    <PersonContext value={person}>
      <div className={second ? 'shell shell-with-second' : 'shell'} data-view={view}>
        <button type="button" className="skip" onClick={() => document.getElementById('main')?.focus()}>
          Skip to the content
        </button>
        <header className="top">
          <p className="brand">
            <img src="/favicon.svg" alt="" width="26" height="26" /> <span>Ashlar workspace</span>
          </p>
          <div className="states">
            <ConnectionPill />
            <SaveState document={open} />
          </div>
          <div className="top-actions">
            <PeopleOnline workspace={workspace} />
            <CutButton network={network} />
            {framedAs === null ? (
              <button
                type="button"
                className="button"
                id="second-person"
                aria-expanded={second}
                title="Be a second person"
                onClick={() => setSecond(!second)}
              >
                <Icon name="people" />
                <span>Second person</span>
              </button>
            ) : null}
            <Bell />
            {framedAs === null ? (
              <button
                type="button"
                className="button icon-button"
                aria-label={`Sign out ${person.name}`}
                title="Sign out"
                onClick={() => void signOut()}
              >
                <Icon name="out" />
              </button>
            ) : null}
          </div>
        </header>
        <nav className="views" aria-label="Views">
          <ul>
            {VIEWS.map((one) => (
              <li key={one.view} className={`to-${one.view}`}>
                <a href={`#/${one.view}`} aria-current={one.view === view ? 'page' : undefined}>
                  <Icon name={one.icon} />
                  <span>{one.label}</span>
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <section className="banners" aria-label="Notices">
          <StatusBanner />
          <ConnectionBanner />
        </section>
        <main id="main" tabIndex={-1} aria-label={label}>
          <Contained resetKeys={[view, page]}>
            {view === 'pages' && workspace !== null ? (
              <PagesView workspace={workspace} pages={pages} page={page} document={open?.name === page ? open : null} />
            ) : null}
            {view === 'board' && open?.name === 'board' ? <BoardView key={open.generation} document={open} /> : null}
            {view === 'dashboard' ? <DashboardView /> : null}
            {view === 'chat' ? <h1 className="visually-hidden">Chat</h1> : null}
          </Contained>
        </main>
        <aside className="chat-side" aria-label="Chat">
          <ChatPanel />
        </aside>
        {second ? <SecondPerson self={person.id} place={window.location.hash} onClose={() => setSecond(false)} /> : null}
        <Toasts />
      </div>
    </PersonContext>
  );
}
