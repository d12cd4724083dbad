import type { Editor } from '@tiptap/core';
import { useEffect, useState } from 'react';
import { Icon, type IconName } from '../shared/icon.tsx';

interface Tool {
  readonly label: string;
  readonly icon: IconName;
  readonly isOn?: (editor: Editor) => boolean;
  readonly isOff?: (editor: Editor) => boolean;
  readonly run: (editor: Editor) => void;
}

const TOOLS: readonly Tool[] = [
  { label: 'Undo', icon: 'undo', isOff: (editor) => !editor.can().undo(), run: (editor) => editor.chain().focus().undo().run() },
  { label: 'Redo', icon: 'redo', isOff: (editor) => !editor.can().redo(), run: (editor) => editor.chain().focus().redo().run() },
  {
    label: 'Bold',
    icon: 'bold',
    isOn: (editor) => editor.isActive('bold'),
    run: (editor) => editor.chain().focus().toggleBold().run(),
  },
  {
    label: 'Italic',
    icon: 'italic',
    isOn: (editor) => editor.isActive('italic'),
    run: (editor) => editor.chain().focus().toggleItalic().run(),
  },
  {
    label: 'Heading',
    icon: 'heading',
    isOn: (editor) => editor.isActive('heading'),
    run: (editor) => editor.chain().focus().toggleHeading({ level: 2 }).run(),
  },
  {
    label: 'List',
    icon: 'list',
    isOn: (editor) => editor.isActive('bulletList'),
    run: (editor) => editor.chain().focus().toggleBulletList().run(),
  },
  {
    label: 'Numbered list',
    icon: 'numbers',
    isOn: (editor) => editor.isActive('orderedList'),
    run: (editor) => editor.chain().focus().toggleOrderedList().run(),
  },
  {
    label: 'Quote',
    icon: 'quote',
    isOn: (editor) => editor.isActive('blockquote'),
    run: (editor) => editor.chain().focus().toggleBlockquote().run(),
  },
];

export function EditorToolbar({ editor }: { editor: Editor }) {
  const [, render] = useState(0);
  // Before the caret was set anywhere there is no format at it.
  const [isUsed, setUsed] = useState(editor.isFocused);
  useEffect(() => {
    const renew = (): void => render((count) => count + 1);
    const use = (): void => setUsed(true);
    editor.on('transaction', renew);
    editor.on('focus', use);
    return () => {
      editor.off('transaction', renew);
      editor.off('focus', use);
    };
  }, [editor]);
  return (
    <div className="toolbar" role="toolbar" aria-label="Format" data-focus-next=".prose">
      {TOOLS.map(({ label, icon, isOn, isOff, run }) => (
        <button
          key={label}
          type="button"
          className="button icon-button"
          aria-label={label}
          title={label}
          aria-pressed={isOn === undefined ? undefined : isUsed && isOn(editor)}
          aria-disabled={isOff?.(editor)}
          // The selection stays where it is.
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => run(editor)}
        >
          <Icon name={icon} />
        </button>
      ))}
    </div>
  );
}
