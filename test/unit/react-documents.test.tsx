import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { type Client, createClient, type OpenDocument } from '../../client/index.ts';
import {
  RealtimeProvider,
  useArray,
  useDocument,
  useMap,
  useOthers,
  useSaveStatus,
  useSelf,
  useText,
  useUndo,
  useUnsavedDocuments,
} from '../../client/react/index.ts';
import { act, expectQuietConsole, mount } from '../support/react.tsx';
import { until } from '../support/sdk.ts';
import { startServer, tokenFor } from '../support/start-server.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

expectQuietConsole();

type Undo = ReturnType<typeof useUndo>;

function person(url: string, id: string, name = id, access = { '*': 'write' as 'read' | 'write' }): Client & Disposable {
  const client = createClient({ url, token: tokenFor(id, { name, access }), onError: () => {} });
  return Object.assign(client, { [Symbol.dispose]: () => client.disconnect() });
}

const below = (client: Client, node: React.ReactNode) => <RealtimeProvider client={client}>{node}</RealtimeProvider>;

test('a document opens while it is mounted, and its text, map and array are state', async () => {
  await using server = await startServer();
  using ada = person(server.url, 'ada');
  using bob = person(server.url, 'bob');
  let document: OpenDocument | null = null;
  const renders = { text: 0, title: 0, tasks: 0 };
  function Text() {
    renders.text++;
    return `${useText(document, 'body')};`;
  }
  function Title() {
    renders.title++;
    return `${useMap(document, 'meta', (meta: { title?: string }) => meta.title)};`;
  }
  function Tasks() {
    renders.tasks++;
    return useArray<{ name: string }>(document, 'tasks')
      .map(({ name }) => name)
      .join();
  }
  function Page() {
    document = useDocument('plan');
    return (
      <>
        <Text />
        <Title />
        <Tasks />
      </>
    );
  }
  await using page = await mount(below(ada, <Page />));
  expect(document).toMatchObject({ name: 'plan', generation: 0, reset: null });
  void bob.connect();
  const theirs = bob.document('plan').doc;
  theirs.getText('body').insert(0, 'hello');
  theirs.getMap('meta').set('title', 'Plan');
  theirs.getArray('tasks').push([{ name: 'a' }, { name: 'b' }]);
  await page.shows('hello;Plan;a,b');
  const before = { ...renders };
  theirs.getMap('meta').set('color', 'red');
  theirs.getMap('other').set('x', 1);
  theirs.getText('body').insert(5, '!');
  await page.shows('hello!;Plan;a,b');
  expect(renders).toEqual({ ...before, text: before.text + 2 });
});

test('items that did not change keep their identity, and cannot be changed by mistake', async () => {
  await using server = await startServer();
  using ada = person(server.url, 'ada');
  let tasks: readonly { name: string }[] = [];
  let doc: Y.Doc | undefined;
  function Page() {
    const document = useDocument('plan');
    doc = document?.doc;
    tasks = useArray<{ name: string }>(document, 'tasks');
    return tasks.map(({ name }) => name).join();
  }
  await using page = await mount(below(ada, <Page />));
  await act(() => doc?.getArray('tasks').push([{ name: 'a' }, { name: 'b' }]));
  const [a, b] = tasks;
  await act(() => doc?.getArray('tasks').insert(1, [{ name: 'new' }]));
  expect(page.text).toBe('a,new,b');
  expect([tasks[0] === a, tasks[2] === b]).toEqual([true, true]);
  expect(() => {
    tasks[0]!.name = 'broken';
  }).toThrow(TypeError);
  expect(doc?.getArray('tasks').toJSON()[0]).toEqual({ name: 'a' });
});

test('undo takes back one’s own edits, whatever made them, and nobody else’s', async () => {
  await using server = await startServer();
  using ada = person(server.url, 'ada');
  using bob = person(server.url, 'bob');
  let undo: Undo | undefined;
  let doc: Y.Doc | undefined;
  function Toolbar({ document }: { document: OpenDocument | null }) {
    const { canUndo, canRedo } = useUndo(document, { captureTimeoutMs: 0 });
    return ` ${canUndo ? 'undo' : '-'} ${canRedo ? 'redo' : '-'}`;
  }
  function Page() {
    const document = useDocument('plan');
    doc = document?.doc;
    undo = useUndo(document, { captureTimeoutMs: 0 });
    return (
      <>
        {useText(document, 'body')}
        <Toolbar document={document} />
      </>
    );
  }
  await using page = await mount(below(ada, <Page />));
  void bob.connect();
  const theirs = bob.document('plan').doc.getText('body');
  theirs.insert(0, 'bob ');
  await page.shows('bob  - -');
  await act(() => doc?.getText('body').insert(4, 'one '));
  await act(() => doc?.transact((tr) => void tr.doc.getText('body').insert(8, 'two '), 'an editor'));
  theirs.insert(0, '! ');
  await page.shows('! bob one two  undo -');
  await act(() => undo?.undo());
  expect(page.text).toBe('! bob one  undo redo');
  await act(() => undo?.undo());
  expect(page.text).toBe('! bob  - redo');
  await act(() => undo?.undo());
  expect(page.text).toBe('! bob  - redo');
  await act(() => undo?.redo());
  expect(page.text).toBe('! bob one  undo redo');
});

test('undo of some root types leaves the others alone', async () => {
  await using server = await startServer();
  using ada = person(server.url, 'ada');
  let undo: Undo | undefined;
  let doc: Y.Doc | undefined;
  function Page() {
    const document = useDocument('plan');
    doc = document?.doc;
    undo = useUndo(document, { types: ['board'] });
    return `${JSON.stringify(useMap(document, 'board'))} ${useText(document, 'body')}`;
  }
  await using page = await mount(below(ada, <Page />));
  await act(() => doc?.getText('body').insert(0, 'text'));
  await act(() => doc?.getMap('board').set('x', 1));
  expect(page.text).toBe('{"x":1} text');
  await act(() => undo?.undo());
  expect([page.text, undo?.canUndo]).toEqual(['{} text', false]);
});

test('saving, saved, offline with so many changes, and saved again', async () => {
  await using server = await startServer();
  await using proxy = await startTcpProxy(server.url);
  using ada = person(proxy.url, 'ada');
  const states: string[] = [];
  let document: OpenDocument | null = null;
  function Status() {
    document = useDocument('plan');
    const status = useSaveStatus(document);
    const text = 'changes' in status ? `${status.state} ${status.changes}` : status.state;
    if (states.at(-1) !== text) states.push(text);
    return text;
  }
  await using page = await mount(below(ada, <Status />));
  const edit = (text: string) => act(() => document?.doc.getText('body').insert(0, text));
  await edit('a');
  await page.shows('saved');
  expect(states).toEqual(['saved', 'saving 1', 'saved']);
  proxy.cut();
  await page.shows('offline 0');
  await edit('b');
  await edit('c');
  expect(page.text).toBe('offline 2');
  // The next attempts, in vain: that they are made saves nothing.
  for (const attempt of [2, 3]) {
    await act(() => until(ada.status, (status) => status.state === 'connecting' && status.attempt >= attempt));
    expect(page.text).toBe('offline 2');
  }
  proxy.mend();
  await page.shows('saved');
});

test('what is not saved is known by document, also of one that is on the screen no longer', async () => {
  await using server = await startServer();
  await using proxy = await startTcpProxy(server.url);
  using ada = person(proxy.url, 'ada');
  let document: OpenDocument | null = null;
  function Edited({ name }: { name: string }) {
    document = useDocument(name);
    return useUnsavedDocuments()
      .map((unsaved) => `${unsaved.name} ${unsaved.unsavedChanges}`)
      .join(', ');
  }
  await using page = await mount(below(ada, <Edited name="plan" />));
  await until(ada.status, ({ state }) => state === 'connected');
  proxy.cut();
  await until(ada.status, ({ state }) => state !== 'connected');
  await act(() => document?.doc.getText('body').insert(0, 'x'));
  expect(page.text).toBe('plan 1');
  await page.render(below(ada, <Edited name="board" />));
  await act(() => document?.doc.getText('body').insert(0, 'y'));
  expect(page.text).toBe('plan 1, board 1');
  proxy.mend();
  await page.shows('');
});

test('a reader’s edit: the document mounts anew, with the server’s content, and what was written stays to be saved elsewhere', async () => {
  await using server = await startServer();
  await server.realtime.documents.transact('plan', (doc) => doc.getText('body').insert(0, 'theirs'));
  using ada = person(server.url, 'ada', 'ada', { '*': 'read' });
  const mounted: Y.Doc[] = [];
  let document: OpenDocument | null = null;
  let dismiss: (() => void) | undefined;
  let lost: Uint8Array | null = null;
  let shownElsewhere = '';
  function Header() {
    shownElsewhere = useSaveStatus(document).state;
    return null;
  }
  function Editor({ doc }: { doc: Y.Doc }) {
    if (mounted.at(-1) !== doc) mounted.push(doc);
    return null;
  }
  function Page() {
    document = useDocument('plan');
    const status = useSaveStatus(document);
    if (status.state === 'refused') ({ dismiss, unsaved: lost } = status);
    return (
      <>
        {document === null ? null : <Editor key={document.generation} doc={document.doc} />}
        <Header />
        {`${useText(document, 'body')} ${status.state} ${status.state === 'refused' ? status.reason : ''}`}
      </>
    );
  }
  await using page = await mount(below(ada, <Page />));
  await page.shows('theirs saved ');
  await act(() => document?.doc.getText('body').insert(0, 'mine '));
  await page.shows('theirs refused read-only');
  expect(mounted).toHaveLength(2);
  expect(document).toMatchObject({ generation: 1, reset: { reason: 'read-only', restoring: false } });
  const copy = new Y.Doc();
  Y.applyUpdate(copy, mounted[0] === undefined ? new Uint8Array([0, 0]) : Y.encodeStateAsUpdate(mounted[0]));
  expect([copy.getText('body').toString(), (lost as Uint8Array | null)?.length ?? 0]).toEqual([
    'mine theirs',
    expect.any(Number),
  ]);
  expect((lost as Uint8Array | null)?.length).toBeGreaterThan(2);
  expect(shownElsewhere).toBe('refused');
  await act(() => dismiss?.());
  expect(page.text).toBe('theirs saved ');
  expect(shownElsewhere).toBe('saved');
});

test('who else is there: entered, moved, gone; and only what was picked renders', async () => {
  await using server = await startServer();
  using ada = person(server.url, 'ada', 'Ada');
  using bob = person(server.url, 'bob', 'Bob');
  let document: OpenDocument | null = null;
  let renders = 0;
  function Names() {
    renders++;
    return useOthers(document, (others) => others.map(({ user }) => user?.name)).join();
  }
  function Cursors() {
    const pointers = useOthers(document, (others) => others.map(({ state }) => state.pointer)).join();
    return ` ${pointers} ${useSelf(document, (self) => self?.user?.name)}`;
  }
  function Page() {
    document = useDocument('plan');
    return (
      <>
        <Names />
        <Cursors />
      </>
    );
  }
  await using page = await mount(below(ada, <Page />));
  await page.shows('  Ada');
  void bob.connect();
  const theirs = bob.document('plan');
  await page.shows('Bob  Ada');
  const before = renders;
  theirs.awareness.setLocalStateField('pointer', 7);
  await page.shows('Bob 7 Ada');
  expect(renders).toBe(before);
  bob.disconnect();
  await page.shows('  Ada');
});

test('a name that changes closes one document and opens the other; null has none', async () => {
  await using server = await startServer();
  using ada = person(server.url, 'ada');
  for (const name of ['one', 'two']) await server.realtime.documents.transact(name, (doc) => doc.getText('body').insert(0, name));
  let document: OpenDocument | null = null;
  function Page({ name }: { name: string | null }) {
    document = useDocument(name, {});
    return `${document?.name}: ${useText(document, 'body')}`;
  }
  await using page = await mount(below(ada, <Page name="one" />));
  await page.shows('one: one');
  await page.render(below(ada, <Page name="two" />));
  await page.shows('two: two');
  await page.render(below(ada, <Page name={null} />));
  expect(page.text).toBe('undefined: ');
  await expect.poll(() => server.realtime.getStats().rooms).not.toHaveProperty('doc:two');
  await until(ada.status, ({ state }) => state === 'connected');
});

test('a document whose options change, or whose editor mounts anew with a Y.Doc of its own, opens with them', async () => {
  await using server = await startServer();
  using ada = person(server.url, 'ada');
  await server.realtime.documents.transact('one', (doc) => doc.getText('body').insert(0, 'stone'));
  let document: OpenDocument | null = null;
  function Page({ doc }: { doc?: Y.Doc }) {
    document = useDocument('one', doc === undefined ? {} : { doc });
    return useText(document, 'body');
  }
  const docs = [new Y.Doc(), new Y.Doc()] as const;
  await using page = await mount(below(ada, <Page />));
  await page.shows('stone');
  for (const doc of docs) {
    await page.render(below(ada, <Page doc={doc} />));
    await page.shows('stone');
    expect(document!.doc).toBe(doc);
  }
  await page.render(below(ada, <Page key="anew" doc={docs[0]} />));
  await page.shows('stone');
  expect(document!.doc).toBe(docs[0]);
});

test('a document whose options change while edits are not saved stays as it is until they are, takes more of them, and nothing is lost', async () => {
  await using server = await startServer();
  await using proxy = await startTcpProxy(server.url);
  using ada = person(proxy.url, 'ada');
  let document: OpenDocument | null = null;
  function Page({ doc }: { doc?: Y.Doc }) {
    document = useDocument('one', doc === undefined ? {} : { doc });
    return `${document?.generation} ${useText(document, 'body')}`;
  }
  const own = new Y.Doc();
  await using page = await mount(below(ada, <Page />));
  await until(document!.handle.status, ({ state }) => state === 'synced');
  const first = document!.doc;
  proxy.cut();
  await act(() => document!.doc.getText('body').insert(0, 'stone'));
  await page.render(below(ada, <Page doc={own} />));
  expect(page.text).toContain('stone');
  expect(document!.doc).toBe(first);
  await act(() => document!.doc.getText('body').insert(5, ' wall'));
  // Elsewhere for a moment, and back.
  await page.render(below(ada, 'elsewhere'));
  await page.render(below(ada, <Page doc={own} />));
  expect(document!.doc).toBe(first);
  proxy.mend();
  await until(ada.unsavedDocuments, ({ length }) => length === 0);
  await page.shows((text) => text.endsWith('stone wall') && document?.doc === own);
  await until(document!.handle.status, ({ state }) => state === 'synced');
  expect(own.getText('body').toString()).toBe('stone wall');
  await page.render(below(ada, null));
  await expect.poll(() => server.realtime.getStats().rooms).not.toHaveProperty('doc:one');
});
