import * as Y from 'yjs';

/** A page as Markdown: for somebody to read, and to paste somewhere else. */
export function pageText(title: string, doc: Y.Doc): string {
  const blocks = blocksOf(doc.getXmlFragment('default')).filter((block) => block.trim() !== '');
  return `${[`# ${title}`, ...blocks].join('\n\n')}\n`;
}

function blocksOf(parent: Y.XmlFragment): string[] {
  return parent.toArray().map((child) => (child instanceof Y.XmlElement ? blockOf(child) : ''));
}

function blockOf(element: Y.XmlElement): string {
  const { nodeName } = element;
  if (nodeName === 'heading') return `${'#'.repeat(Number(element.getAttribute('level')) || 1)} ${lineOf(element)}`;
  if (nodeName === 'bulletList') return blocksOf(element).map(item('- ')).join('\n');
  if (nodeName === 'orderedList') return blocksOf(element).map(item('1. ')).join('\n');
  if (nodeName === 'blockquote') return blocksOf(element).map(item('> ', '> ')).join('\n>\n');
  const inner = blocksOf(element).filter((block) => block !== '');
  return inner.length > 0 ? inner.join('\n') : lineOf(element);
}

function lineOf(element: Y.XmlElement): string {
  const texts = element.toArray().map((child) => (child instanceof Y.XmlText ? child.toDelta() : []));
  return texts
    .flatMap((delta: { insert?: unknown }[]) => delta.map(({ insert }) => (typeof insert === 'string' ? insert : '')))
    .join('');
}

function item(mark: string, indent = ' '.repeat(mark.length)): (text: string) => string {
  return (text) => mark + text.replaceAll('\n', `\n${indent}`);
}
