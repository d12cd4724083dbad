import * as fc from 'fast-check';
import type * as Y from 'yjs';

/** What one person does in an editor; the numbers choose among what is possible there at that moment. */
export interface EditorStep {
  readonly who: number;
  readonly action: number;
  readonly at: number;
  readonly size: number;
}

/** An editor on a Yjs document, driven as a person would: by its own input handlers and commands. */
export interface DrivenEditor {
  run(step: EditorStep): void;
  /** What it shows. */
  shown(): unknown;
  /** What it would show of a document that no editor has touched. */
  shownOf(doc: Y.Doc): unknown;
  /** Puts the cursor into it, where others shall see it. */
  focus(at: number): void;
  /** Names at the carets of others that it shows. */
  caretNames(): string[];
  /** Tells of each change of what is on the page: bindings draw carets a little later. The returned function ends that. */
  onDrawn(listener: () => void): () => void;
  destroy(): void;
}

/** Steps of two people. */
export const editorSteps = (maxLength: number): fc.Arbitrary<EditorStep[]> =>
  fc.array(fc.record({ who: fc.nat(1), action: fc.nat(9_999), at: fc.nat(9_999), size: fc.integer({ min: 1, max: 12 }) }), {
    minLength: Math.ceil(maxLength / 3),
    maxLength,
    size: 'max',
  });

const WORDS = ['stone ', 'a', 'Grüße ', '日本', '👩‍👩‍👧 ', 'mason', '. ', 'é'];

/** Some words, different for different numbers. */
export function words(at: number, size: number): string {
  let text = '';
  for (let index = 0; index <= size % 4; index++) text += WORDS[(at + index * 7) % WORDS.length];
  return text;
}

/** An index between whole characters. */
export function wholeIndex(text: string, index: number): number {
  return /[\udc00-\udfff]/.test(text.charAt(index)) ? index - 1 : index;
}

/** Calls back on each change below a DOM node. The returned function ends that. */
export function observe(node: Node, listener: () => void): () => void {
  const observer = new MutationObserver(listener);
  observer.observe(node, { childList: true, subtree: true, characterData: true });
  return () => observer.disconnect();
}
