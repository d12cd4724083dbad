// First: it gives the editors a browser before they are loaded.
import '../support/editors/browser-globals.ts';

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { compact } from '../../server/documents/worker/compact.ts';
import { CodeEditor } from '../support/editors/code-editor.ts';
import { type DrivenEditor, type EditorStep, editorSteps } from '../support/editors/editor-step.ts';
import { TiptapEditor } from '../support/editors/tiptap-editor.ts';
import { AdmissionLog } from '../support/random-session.ts';

const USERS = ['ada', 'bob'] as const;
const FC_RUNS = Number(process.env.FC_RUNS ?? 12);
const LIMIT_MS = Math.max(30_000, FC_RUNS * 2_000);

/** One person's editor, and what of its updates the log has not seen. */
class Author {
  readonly user: string;
  readonly doc = new Y.Doc();
  readonly awareness = new Awareness(this.doc);
  outbox: Uint8Array[] = [];
  position = 0;

  constructor(user: string, clientId: number) {
    this.user = user;
    this.doc.clientID = clientId;
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== 'remote') this.outbox.push(update);
    });
  }

  /** Sends what waits, at times merged as the SDK does. @returns the verdicts that are not `admitted` */
  send(log: AdmissionLog, merged: boolean): unknown[] {
    const updates = this.outbox.splice(0);
    const sent = merged && updates.length > 1 ? [Y.mergeUpdates(updates)] : updates;
    return sent.map((update) => log.take(this.user, update)).filter(({ verdict }) => verdict !== 'admitted');
  }

  receive(log: AdmissionLog): void {
    for (const record of log.records.slice(this.position)) Y.applyUpdate(this.doc, record, 'remote');
    this.position = log.records.length;
  }
}

const turn = () => new Promise<void>((resolve) => setTimeout(resolve));

const bindings: readonly [string, (author: Author) => DrivenEditor][] = [
  ['Tiptap', (author) => new TiptapEditor(author, { name: author.user, color: '#aa3355' })],
  ['CodeMirror', (author) => new CodeEditor(author)],
];

test.each(bindings)(
  'every update that %s makes is admitted, whatever two people do in it at once, and a joiner sees what they see',
  async (_, open) => {
    let sent = 0;
    await fc.assert(
      fc.asyncProperty(editorSteps(60), async (steps) => {
        const log = new AdmissionLog();
        const authors = USERS.map((user, index) => new Author(user, 3_000_000_000 + index));
        for (const author of authors) log.claim(author.doc.clientID, author.user);
        const editors = authors.map((author) => open(author));
        const other: unknown[] = [];
        // Bindings draw their document first: what they do before that is lost on them.
        await turn();
        const run = (step: EditorStep): void => {
          editors[step.who]?.run(step);
          const author = authors[step.who] as Author;
          if (step.at % 3 === 0) other.push(...author.send(log, step.size % 2 === 0));
          if (step.at % 4 === 0) author.receive(log);
        };
        for (const step of steps) run(step);
        for (let round = 0; round < 4; round++) {
          for (const author of authors) other.push(...author.send(log, false));
          for (const author of authors) author.receive(log);
        }
        expect(other).toEqual([]);
        sent += log.records.length;

        const joiner = new Y.Doc();
        Y.applyUpdate(joiner, log.merged());
        // Nor does a compaction find anything, of all of it or behind a snapshot: it would set honest work aside.
        const { state } = compact({ state: null, updates: log.records.slice(0, log.records.length >>> 1) });
        compact({ state, updates: log.records.slice(log.records.length >>> 1) });
        compact({ state: null, updates: log.records });
        for (const editor of editors) expect(editor.shown()).toEqual(editors[0]?.shownOf(joiner));
        for (const editor of editors) editor.destroy();
        for (const author of authors) author.awareness.destroy();
      }),
      {
        seed: Number(process.env.FC_SEED ?? 20_261_124),
        numRuns: FC_RUNS,
        interruptAfterTimeLimit: LIMIT_MS - 5_000,
        ...(process.env.FC_PATH === undefined ? {} : { path: process.env.FC_PATH }),
      },
    );
    if (process.env.FC_PATH === undefined) expect(sent).toBeGreaterThan(FC_RUNS * 15);
  },
  LIMIT_MS,
);
