import './browser-globals.ts';

import {
  copyLineDown,
  deleteCharBackward,
  deleteCharForward,
  deleteLine,
  indentLess,
  indentMore,
  insertNewlineAndIndent,
  moveLineDown,
  moveLineUp,
  transposeChars,
} from '@codemirror/commands';
import { EditorSelection, EditorState } from '@codemirror/state';
import { type Command, keymap } from '@codemirror/view';
import { basicSetup, EditorView } from 'codemirror';
import { yCollab, yUndoManagerKeymap } from 'y-codemirror.next';
import type { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { type DrivenEditor, type EditorStep, observe, wholeIndex, words } from './editor-step.ts';

const FIELD = 'code';

const COMMANDS: readonly Command[] = [
  insertNewlineAndIndent,
  insertNewlineAndIndent,
  deleteCharBackward,
  deleteCharForward,
  deleteLine,
  copyLineDown,
  withOneCaret(moveLineUp),
  withOneCaret(moveLineDown),
  indentMore,
  indentLess,
  transposeChars,
];

// @codemirror/commands 6.11.1 throws where one of several carets stands on a line that cannot move and the main one comes after it.
function withOneCaret(command: Command): Command {
  return (view) => {
    view.dispatch({ selection: view.state.selection.asSingle() });
    return command(view);
  };
}

/** A CodeMirror editor as products set it up: basicSetup, yCollab and its undo manager. */
export class CodeEditor implements DrivenEditor {
  readonly view: EditorView;
  readonly #undo: Y.UndoManager;

  constructor({ doc, awareness }: { readonly doc: Y.Doc; readonly awareness: Awareness }) {
    const text = doc.getText(FIELD);
    this.#undo = new Y.UndoManager(text, { captureTimeout: 0 });
    this.view = new EditorView({
      parent: document.body,
      state: EditorState.create({
        doc: text.toString(),
        extensions: [
          keymap.of(yUndoManagerKeymap),
          basicSetup,
          EditorState.allowMultipleSelections.of(true),
          // jsdom gives the focus to no contenteditable otherwise.
          EditorView.contentAttributes.of({ tabindex: '0' }),
          yCollab(text, awareness, { undoManager: this.#undo }),
        ],
      }),
    });
  }

  run({ action, at, size }: EditorStep): void {
    const { view } = this;
    this.#select(at, size);
    const replace = (text: string, userEvent: string) => view.dispatch(view.state.replaceSelection(text), { userEvent });
    const actions: (() => void)[] = [
      ...COMMANDS.map((command) => () => void command(view)),
      // As typed, each letter a transaction; as pasted, all at once.
      ...[1, 2, 3].map(() => () => {
        for (const letter of words(at, size)) replace(letter, 'input.type');
      }),
      () => replace(`${words(at, size)}\n${words(size, at)}\n`, 'input.paste'),
      () => replace('', 'delete.selection'),
      ...[0, 0, 0, 1, 1].map((which) => () => void yUndoManagerKeymap[which]?.run?.(view)),
      () => this.#replaceAll(at),
      () => {
        if (at % 3 === 0) view.dispatch({ changes: { from: 0, to: view.state.doc.length } });
      },
    ];
    (actions[action % actions.length] as () => void)();
  }

  shown(): unknown {
    return this.view.state.doc.toString();
  }

  shownOf(doc: Y.Doc): unknown {
    return doc.getText(FIELD).toString();
  }

  focus(at: number): void {
    this.view.focus();
    this.#select(at, 0);
  }

  caretNames(): string[] {
    return [...this.view.dom.querySelectorAll('.cm-ySelectionInfo')].map((info) => info.textContent ?? '');
  }

  onDrawn(listener: () => void): () => void {
    return observe(this.view.dom, listener);
  }

  destroy(): void {
    this.view.destroy();
    this.#undo.destroy();
  }

  // One caret, a range, or several carets.
  #select(at: number, size: number): void {
    const text = this.view.state.doc.toString();
    const place = (index: number) => wholeIndex(text, index % (text.length + 1));
    const first = place(at);
    const ranges = [
      size % 3 === 0
        ? EditorSelection.range(first, wholeIndex(text, Math.min(text.length, first + size * 2)))
        : EditorSelection.cursor(first),
    ];
    if (size % 5 === 0) ranges.push(EditorSelection.cursor(place(at * 31 + size)));
    this.view.dispatch({ selection: EditorSelection.create(ranges) });
  }

  // Many changes in one transaction, as search and replace makes them.
  #replaceAll(at: number): void {
    const text = this.view.state.doc.toString();
    const changes = [...text.matchAll(/stone|mason/g)].map(({ index }) => ({ from: index, to: index + 5, insert: words(at, 1) }));
    if (changes.length > 0) this.view.dispatch({ changes, userEvent: 'input.replace.all' });
  }
}
