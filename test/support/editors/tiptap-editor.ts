import './browser-globals.ts';

import { Editor, type JSONContent } from '@tiptap/core';
import { Collaboration } from '@tiptap/extension-collaboration';
import { CollaborationCaret } from '@tiptap/extension-collaboration-caret';
import type { ResolvedPos } from '@tiptap/pm/model';
import { TextSelection } from '@tiptap/pm/state';
import type { EditorView } from '@tiptap/pm/view';
import { StarterKit } from '@tiptap/starter-kit';
import { yXmlFragmentToProseMirrorRootNode } from '@tiptap/y-tiptap';
import type { Awareness } from 'y-protocols/awareness';
import type * as Y from 'yjs';
import { type DrivenEditor, type EditorStep, observe, wholeIndex, words } from './editor-step.ts';

/** The fragment that Tiptap's Collaboration uses by default. */
const FIELD = 'default';

const MARKDOWN = ['# ', '## ', '- ', '1. ', '> ', '``` ', '--- ', '**bold** ', '`code` '];
const PASTES = [
  '<p>one</p><p>two <strong>bold</strong> and <a href="https://example.com/">a link</a></p>',
  '<h2>Head</h2><ul><li><p>first</p></li><li><p>second</p><ol><li><p>nested 👩‍👩‍👧</p></li></ol></li></ul>',
  '<blockquote><p>quoted <em>words</em></p></blockquote><pre><code>let it = be;\n</code></pre><hr>',
  'plain words',
];

/** A Tiptap editor as products set it up: StarterKit, Collaboration and carets. */
export class TiptapEditor implements DrivenEditor {
  readonly editor: Editor;

  /** @param user what the page says about itself: the caret extension writes it into awareness */
  constructor(provider: { readonly doc: Y.Doc; readonly awareness: Awareness }, user: { name: string; color: string }) {
    const element = document.createElement('div');
    document.body.append(element);
    this.editor = new Editor({
      element,
      extensions: [
        StarterKit.configure({ undoRedo: false }),
        Collaboration.configure({ document: provider.doc }),
        CollaborationCaret.configure({ provider, user }),
      ],
    });
  }

  run({ action, at, size }: EditorStep): void {
    const { editor } = this;
    const { commands } = editor;
    this.#select(at, size);
    const level = ((at % 3) + 1) as 1 | 2 | 3;
    const actions: (() => void)[] = [
      () => this.#type(words(at, size)),
      () => this.#type(words(at, size)),
      () => this.#type(words(at, size)),
      () => this.#type(MARKDOWN[at % MARKDOWN.length] as string),
      () => this.#press('Enter'),
      () => this.#press('Enter'),
      () => this.#press('Enter', { shiftKey: true }),
      () => this.#press('Backspace'),
      () => this.#press('Delete'),
      () => this.#press('Tab'),
      () => commands.deleteSelection(),
      () => commands.toggleBold(),
      () => commands.toggleItalic(),
      () => commands.toggleStrike(),
      () => commands.toggleCode(),
      () => commands.setLink({ href: `https://example.com/${at}` }),
      () => commands.unsetAllMarks(),
      () => commands.toggleHeading({ level }),
      () => commands.toggleBulletList(),
      () => commands.toggleOrderedList(),
      () => commands.toggleBlockquote(),
      () => commands.toggleCodeBlock(),
      () => commands.sinkListItem('listItem'),
      () => commands.liftListItem('listItem'),
      () => commands.setHorizontalRule(),
      () => commands.undo(),
      () => commands.undo(),
      () => commands.undo(),
      () => commands.redo(),
      () => commands.redo(),
      () => editor.view.pasteHTML(PASTES[at % PASTES.length] as string, new window.Event('paste') as ClipboardEvent),
      () => editor.view.pasteText(words(at, size), new window.Event('paste') as ClipboardEvent),
      () => {
        if (at % 3 === 0) editor.chain().selectAll().deleteSelection().run();
      },
    ];
    try {
      (actions[action % actions.length] as () => void)();
    } catch (error) {
      // Tiptap's own, before anything is changed: Enter over a range that ends deeper than it begins.
      if ((error as Error).name !== 'TransformError') throw error;
    }
  }

  shown(): unknown {
    return withTrailingParagraph(this.editor.getJSON());
  }

  shownOf(doc: Y.Doc): unknown {
    return withTrailingParagraph(yXmlFragmentToProseMirrorRootNode(doc.getXmlFragment(FIELD), this.editor.schema).toJSON());
  }

  focus(at: number): void {
    this.#select(at, 0);
    this.editor.view.focus();
  }

  caretNames(): string[] {
    const labels = this.editor.view.dom.querySelectorAll('.collaboration-carets__label');
    return [...labels].map((label) => label.textContent ?? '');
  }

  onDrawn(listener: () => void): () => void {
    return observe(this.editor.view.dom, listener);
  }

  destroy(): void {
    const { element } = this.editor.options;
    this.editor.destroy();
    if (element instanceof window.HTMLElement) element.remove();
  }

  // Where a person can put it: into text, between whole characters. Often a caret, sometimes a range.
  #select(at: number, size: number): void {
    const { view } = this.editor;
    const { doc, tr } = view.state;
    const from = at % (doc.content.size + 1);
    const to = size % 3 === 0 ? Math.min(doc.content.size, from + size * 2) : from;
    const { $from, $to } = TextSelection.between(doc.resolve(from), doc.resolve(to));
    view.dispatch(tr.setSelection(TextSelection.between(wholePosition($from), wholePosition($to))));
  }

  // Letter by letter through the input handlers, as a keyboard does it: markdown shortcuts answer to that.
  #type(text: string): void {
    const view: EditorView = this.editor.view;
    for (const letter of text) {
      const { from, to } = view.state.selection;
      const insert = () => view.state.tr.insertText(letter, from, to);
      if (!view.someProp('handleTextInput', (handle) => handle(view, from, to, letter, insert))) view.dispatch(insert());
    }
  }

  #press(key: string, modifiers: KeyboardEventInit = {}): void {
    const { view } = this.editor;
    const event = new window.KeyboardEvent('keydown', { key, ...modifiers });
    if (view.someProp('handleKeyDown', (handle) => handle(view, event))) return;
    // What the browser would do by itself within a line.
    const { from, to, empty } = view.state.selection;
    if (!empty || (key !== 'Backspace' && key !== 'Delete')) return;
    const parent = view.state.selection.$from.parent;
    const text = parent.textBetween(0, parent.content.size, undefined, '\ufffc');
    const offset = view.state.selection.$from.parentOffset;
    const other = key === 'Delete' ? nextWhole(text, offset) : wholeIndex(text, offset - 1);
    const start = from - offset + Math.min(offset, other);
    const end = to - offset + Math.max(offset, other);
    if (other >= 0 && other <= text.length && start < end) view.dispatch(view.state.tr.delete(start, end));
  }
}

// StarterKit shows an empty paragraph behind a list, a rule or the like at the end. Behind one that came from others the binding
// writes it into the document with the next local edit, not before.
function withTrailingParagraph({ content = [], ...rest }: JSONContent): JSONContent {
  return { ...rest, content: content.at(-1)?.type === 'paragraph' ? content : [...content, { type: 'paragraph' }] };
}

function wholePosition(position: ResolvedPos): ResolvedPos {
  const { parent, parentOffset, doc, pos } = position;
  const text = parent.textBetween(0, parent.content.size, undefined, '\ufffc');
  return doc.resolve(pos - parentOffset + wholeIndex(text, parentOffset));
}

function nextWhole(text: string, offset: number): number {
  const next = offset + 1;
  return wholeIndex(text, next) === next ? next : next + 1;
}
