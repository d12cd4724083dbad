import type * as Y from 'yjs';
import { guarded, type Report } from '../report.ts';

/**
 * Makes what an application does to a Y.Doc harmless to its edits. A listener that throws is reported: it would keep the others from hearing of an
 * edit, and leave Yjs in the middle of its transaction for good, so that nobody heard of any later one. A document that the SDK made outlives
 * `destroy`: it is every handle's, and a destroyed one tells nobody of edits either.
 * @returns a function that ends that
 */
export function holdDoc(doc: Y.Doc, own: boolean, report: Report): () => void {
  const { emit, destroy } = doc;
  doc.emit = (name, args) => {
    const told: ReadonlySet<unknown> | undefined = doc._observers.get(name);
    for (const listener of [...(told ?? [])])
      guarded(report, `listener of ${name}`, () => (listener as (...event: typeof args) => void)(...args));
  };
  if (own) doc.destroy = () => {};
  return () => Object.assign(doc, { emit, destroy });
}
