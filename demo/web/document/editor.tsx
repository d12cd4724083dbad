import { Editor as Tiptap } from '@tiptap/core';
import { Collaboration } from '@tiptap/extension-collaboration';
import { CollaborationCaret } from '@tiptap/extension-collaboration-caret';
import { StarterKit } from '@tiptap/starter-kit';
import type { OpenDocument } from 'ashlar/client';
import { useEffect, useRef, useState } from 'react';
import { usePerson } from '../shared/person-context.ts';
import { drawCaret } from './draw-caret.ts';
import { EditorToolbar } from './editor-toolbar.tsx';
import { placeCaretNames } from './place-caret-names.ts';

/** The rich text of a page, edited by everybody who has it open. Mount it again after a reset, with another `key`. */
export function Editor({ document, title, editable }: { document: OpenDocument; title: string; editable: boolean }) {
  const place = useRef<HTMLDivElement>(null);
  const { id, name, color } = usePerson();
  const [editor, setEditor] = useState<Tiptap | null>(null);
  const { doc, awareness, name: page } = document;
  useEffect(() => {
    const made = new Tiptap({
      element: place.current,
      editable: false,
      injectCSS: false,
      editorProps: {
        attributes: {
          role: 'textbox',
          'aria-label': title,
          'aria-multiline': 'true',
          'aria-placeholder': 'Write something…',
          class: 'prose',
          tabindex: '0',
          'data-focus-key': page,
        },
      },
      extensions: [
        // The document has an undo of its own, which leaves others' words alone.
        // A paragraph that the editor itself adds behind a list at the end would be an edit of whoever only looks, also of one who may not write.
        StarterKit.configure({ undoRedo: false, trailingNode: false, link: { openOnClick: false } }),
        Collaboration.configure({ document: doc }),
        CollaborationCaret.configure({ provider: { awareness }, user: { id, name, color }, render: drawCaret }),
      ],
    });
    // Anybody's edit moves carets, and so does another width.
    const placeNames = (): void => placeCaretNames(made.view.dom);
    made.on('transaction', placeNames);
    const resized = new ResizeObserver(placeNames);
    resized.observe(made.view.dom);
    setEditor(made);
    return () => {
      resized.disconnect();
      setEditor(null);
      made.destroy();
    };
  }, [doc, awareness, page, id, name, color, title]);
  useEffect(() => {
    // Where the title or the document changes in the same render, this is the editor before, which is gone.
    if (editor === null || editor.isDestroyed) return;
    editor.setEditable(editable, false);
    // A reader's text is not a field to type into.
    editor.view.dom.setAttribute('aria-readonly', String(!editable));
    // It had the focus before it was a field: the caret comes with this.
    if (editable && editor.view.hasFocus()) editor.commands.focus();
  }, [editor, editable]);
  return (
    <div className="editor">
      {editor !== null && editable ? <EditorToolbar editor={editor} /> : null}
      <div ref={place} />
    </div>
  );
}
