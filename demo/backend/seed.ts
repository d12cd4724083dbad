import { randomUUID } from 'node:crypto';
import type { RealtimeServer } from 'ashlar/server';
import * as Y from 'yjs';

/** A page's blocks below its title, from top to bottom: `## ` a heading, `- ` an item of a list, else a paragraph. */
const PAGES: readonly { readonly id: string; readonly title: string; readonly blocks: readonly string[] }[] = [
  {
    id: 'page-welcome',
    title: 'Welcome',
    blocks: [
      'This page is edited by everybody who has it open, at once. Press “Second person” above and type on both sides.',
      '## Things to try',
      '- Cut the connection, go on writing, and come back.',
      '- Undo: it takes back what you did, and nobody else’s words.',
      '- Move a card on the board, with the mouse or with the arrow keys.',
      '- Start a job on the dashboard and open it as somebody else.',
    ],
  },
  {
    id: 'page-launch',
    title: 'Launch plan',
    blocks: [
      'The new shop opens in spring. What is missing stands on the board; what is decided stands here.',
      '## Decided',
      '- Delivery within two days, in all of Europe.',
      '- One price list, no coupons.',
      '## Open',
      '- Who answers on weekends?',
    ],
  },
  {
    id: 'page-handbook',
    title: 'Company handbook',
    blocks: [
      'Everybody reads this page; a few may change it.',
      '## Working hours',
      'Work when you work best. Be there from ten to three, so that others find you.',
      '## Holidays',
      'Thirty days. Tell the team two weeks before.',
    ],
  },
];

const COLUMNS = ['To do', 'Doing', 'Done'];
const CARDS: readonly (readonly [title: string, column: number])[] = [
  ['Photos of the new range', 0],
  ['Translate the product texts', 0],
  ['Terms of delivery', 0],
  ['Payment provider contract', 1],
  ['Load test of the checkout', 1],
  ['Domain and certificates', 2],
  ['Hire a second designer', 2],
];

/** Fills an empty server, once. */
export async function seed(realtime: RealtimeServer): Promise<void> {
  const { documents } = realtime;
  for (const { id, blocks } of PAGES) {
    await documents.create(id, (doc) => void doc.getXmlFragment('default').push(toBlocks(blocks)));
  }
  await documents.create('board', (doc) => {
    doc.getArray('columns').push(COLUMNS.map((title, index) => ({ id: `column-${index}`, title })));
    const cards = doc.getMap<Y.Map<string | number>>('cards');
    CARDS.forEach(([title, column], order) => {
      cards.set(
        `card-${order}`,
        new Y.Map<string | number>([
          ['title', title],
          ['column', `column-${column}`],
          ['order', order],
        ]),
      );
    });
  });
  const { created } = await documents.create('workspace', (doc) => {
    const pages = doc.getMap('pages');
    PAGES.forEach(({ id, title }, order) => void pages.set(id, { title, order }));
  });
  if (!created) return;
  const timestamp = new Date().toISOString();
  const content =
    'Hello. Begin a line with @assistant and I answer: “@assistant how many orders are there?” All else is between you.';
  await realtime.toRoom('chat:team', 'chat:message', {
    id: randomUUID(),
    sessionId: 'team',
    content,
    sender: 'assistant',
    timestamp,
  });
}

function toBlocks(blocks: readonly string[]): Y.XmlElement[] {
  const elements: Y.XmlElement[] = [];
  let items: Y.XmlElement[] = [];
  const endList = (): void => {
    if (items.length > 0) elements.push(element('bulletList', items));
    items = [];
  };
  for (const block of blocks) {
    const [, mark = '', text = ''] = /^(#+ |- )?(.*)$/.exec(block) as RegExpExecArray;
    if (mark === '- ') {
      items.push(element('listItem', [element('paragraph', [new Y.XmlText(text)])]));
      continue;
    }
    endList();
    if (mark === '') elements.push(element('paragraph', [new Y.XmlText(text)]));
    else elements.push(heading(mark.trim().length, text));
  }
  endList();
  return elements;
}

function element(name: string, children: (Y.XmlElement | Y.XmlText)[]): Y.XmlElement {
  const made = new Y.XmlElement(name);
  made.insert(0, children);
  return made;
}

function heading(level: number, text: string): Y.XmlElement {
  const made = new Y.XmlElement<{ level: number }>('heading');
  made.setAttribute('level', level);
  made.insert(0, [new Y.XmlText(text)]);
  return made as unknown as Y.XmlElement;
}
