import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { pageText } from '../../demo/web/document/page-text.ts';

function element(name: string, children: readonly (Y.XmlElement | string)[], level?: number): Y.XmlElement {
  const made = new Y.XmlElement(name);
  made.insert(
    0,
    children.map((child) => (typeof child === 'string' ? new Y.XmlText(child) : child)),
  );
  if (level !== undefined) made.setAttribute('level', level as never);
  return made;
}

const paragraph = (text: string) => element('paragraph', [text]);
const item = (...children: Y.XmlElement[]) => element('listItem', children);

test('a page as Markdown keeps its headings, its lists one in another, and its quotes in one piece', () => {
  const doc = new Y.Doc();
  doc
    .getXmlFragment('default')
    .push([
      element('heading', ['Decided'], 2),
      element('orderedList', [
        item(paragraph('first'), element('bulletList', [item(paragraph('within'))])),
        item(paragraph('second')),
      ]),
      element('blockquote', [paragraph('said'), paragraph('and said')]),
      paragraph(''),
      paragraph('last'),
    ]);
  expect(pageText('Plan', doc)).toBe(`# Plan

## Decided

1. first
   - within
1. second

> said
>
> and said

last
`);
});
