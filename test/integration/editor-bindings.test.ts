// First: it gives the editors a browser before they are loaded.
import '../support/editors/browser-globals.ts';

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Client, createClient, type DocumentHandle } from '../../client/index.ts';
import { CodeEditor } from '../support/editors/code-editor.ts';
import { type DrivenEditor, type EditorStep, editorSteps } from '../support/editors/editor-step.ts';
import { TiptapEditor } from '../support/editors/tiptap-editor.ts';
import { exchangeMarks } from '../support/exchange-marks.ts';
import { when } from '../support/sdk.ts';
import { startServer, tokenFor } from '../support/start-server.ts';
import { watchRefusals } from '../support/watch-refusals.ts';

const FC_RUNS = Number(process.env.FC_RUNS ?? 8);
const LIMIT_MS = Math.max(30_000, FC_RUNS * 5_000);
const PEOPLE = [
  { user: 'ada', name: 'Ada Lovelace' },
  { user: 'bob', name: 'Bob Noyce' },
] as const;

const bindings: readonly [string, (handle: DocumentHandle) => DrivenEditor][] = [
  // The page claims a name of its own: what others see is the token's.
  ['Tiptap', (handle) => new TiptapEditor(handle, { name: 'the king', color: '#aa3355' })],
  ['CodeMirror', (handle) => new CodeEditor(handle)],
];

/** One person in one document, with an editor on it. */
class Author implements Disposable {
  readonly user: string;
  readonly name: string;
  readonly handle: DocumentHandle;
  readonly editor: DrivenEditor;
  readonly problems: string[] = [];

  constructor({ user, name }: { user: string; name: string }, client: Client, document: string, open: (typeof bindings)[0][1]) {
    this.user = user;
    this.name = name;
    this.handle = client.document(document);
    this.handle.on('error', ({ code }) => this.problems.push(code));
    this.handle.on('reset', ({ reason }) => this.problems.push(`reset: ${reason}`));
    this.editor = open(this.handle);
  }

  /** Resolves once the editor shows a caret with this name, and awareness tells the same. */
  async seesCaretOf({ name, handle }: Author): Promise<void> {
    const { awareness } = this.handle;
    await when(
      (listener) => {
        awareness.on('change', listener);
        const stop = this.editor.onDrawn(listener);
        return () => {
          awareness.off('change', listener);
          stop();
        };
      },
      () => awareness.getStates().get(handle.doc.clientID)?.cursor != null && this.editor.caretNames().includes(name),
    );
    expect(awareness.getStates().get(handle.doc.clientID)?.user).toMatchObject({ name });
    expect(this.editor.caretNames()).toEqual([name]);
  }

  [Symbol.dispose](): void {
    this.editor.destroy();
    this.handle.destroy();
  }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test.each(bindings)(
  'two %s editors on one document: nothing that they write is refused, both show the same, and each shows the caret of the other',
  async (_, open) => {
    using refusals = watchRefusals();
    await using server = await startServer();
    const clients = PEOPLE.map(({ user, name }) =>
      createClient({ url: server.url, token: tokenFor(user, { name }), transports: ['websocket'] }),
    );
    await Promise.all(clients.map((client) => client.connect()));
    let runs = 0;
    let updates = 0;
    try {
      await fc.assert(
        fc.asyncProperty(editorSteps(60), async (steps) => {
          runs += 1;
          const name = `edited-${runs}`;
          const join = (who: 0 | 1) => new Author(PEOPLE[who], clients[who] as Client, name, open);
          using ada = join(0);
          using bob = join(1);
          const authors = [ada, bob];
          await Promise.all(authors.map(({ handle }) => handle.whenSynced));
          for (const { handle } of authors) handle.doc.on('update', () => updates++);
          const take = async ({ at, size, ...step }: EditorStep): Promise<void> => {
            authors[step.who]?.editor.run({ at, size, ...step });
            // Sometimes others' changes come in between, sometimes both write at once.
            for (let turns = at % 3 === 0 ? size : 0; turns > 0; turns -= 1) await turn();
          };
          for (const step of steps) await take(step);
          await exchangeMarks(authors);

          const read = await server.realtime.documents.read(name);
          const expected = ada.editor.shownOf(read);
          for (const { editor } of authors) expect(editor.shown()).toEqual(expected);
          const place = steps[0]?.at ?? 0;
          ada.editor.focus(place);
          await bob.seesCaretOf(ada);
          bob.editor.focus(place);
          await ada.seesCaretOf(bob);
          expect(authors.flatMap(({ problems }) => problems)).toEqual([]);
          expect(refusals.frames).toEqual([]);
        }),
        {
          seed: Number(process.env.FC_SEED ?? 20_261_124),
          numRuns: FC_RUNS,
          timeout: 15_000,
          interruptAfterTimeLimit: LIMIT_MS - 5_000,
          ...(process.env.FC_PATH === undefined ? {} : { path: process.env.FC_PATH }),
        },
      );
    } finally {
      for (const client of clients) client.disconnect();
    }
    if (process.env.FC_PATH === undefined) expect(updates).toBeGreaterThan(FC_RUNS * 30);
  },
  LIMIT_MS,
);

test.each(bindings)(
  '[5] whatever a reader says of a cursor, two %s editors go on showing and taking the edits of both',
  async (_, open) => {
    await using server = await startServer();
    const [reader, ...clients] = [
      createClient({ url: server.url, token: tokenFor('eve', { access: { '*': 'read' } }), onError: () => {} }),
      ...PEOPLE.map(({ user, name }) => createClient({ url: server.url, token: tokenFor(user, { name }) })),
    ];
    try {
      await Promise.all([reader, ...clients].map((client) => client?.connect()));
      using ada = new Author(PEOPLE[0], clients[0] as Client, 'plan', open);
      using bob = new Author(PEOPLE[1], clients[1] as Client, 'plan', open);
      const eve = reader?.document('plan') as DocumentHandle;
      const authors = [ada, bob];
      // What is refused nobody sees.
      const refused: string[] = [];
      reader?.on('error', ({ code }) => {
        refused.push(code);
        eve.awareness.setLocalStateField('cursor', null);
      });
      await Promise.all([eve, ada.handle, bob.handle].map(({ whenSynced }) => whenSynced));
      const cursors = [
        5,
        {},
        { x: 1, y: 2 },
        { anchor: null, head: null },
        { anchor: {}, head: {} },
        { anchor: { item: 5 }, head: 5 },
      ];
      for (const [round, cursor] of cursors.entries()) {
        eve.awareness.setLocalState({ round, cursor });
        await seen(authors, eve, round);
        for (const { editor } of authors) editor.run({ who: 0, action: 0, at: 0, size: 3 });
        await exchangeMarks(authors);
        const read = await server.realtime.documents.read('plan');
        for (const { editor } of authors) expect(editor.shown()).toEqual(editor.shownOf(read));
      }
      expect(refused).toEqual(Array(4).fill('invalid-payload'));
      expect(authors.flatMap(({ problems }) => problems)).toEqual([]);
    } finally {
      for (const client of [reader, ...clients]) client?.disconnect();
    }
  },
);

/** Resolves once all see what stands beside a cursor. */
async function seen(by: readonly Author[], whose: DocumentHandle, round: number): Promise<void> {
  await Promise.all(
    by.map(({ handle: { awareness } }) =>
      when(
        (listener) => {
          awareness.on('change', listener);
          return () => awareness.off('change', listener);
        },
        () => awareness.getStates().get(whose.doc.clientID)?.round === round,
      ),
    ),
  );
}
