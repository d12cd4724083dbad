import type { OpenDocument } from 'ashlar/client';
import * as Y from 'yjs';
import { insertOrder } from './insert-order.ts';

export interface Column {
  readonly id: string;
  readonly title: string;
}

export interface Card {
  readonly id: string;
  readonly title: string;
  readonly column: string;
  /** Places within a column, lowest first. Two may have the same: who added them did not know of each other. */
  readonly order: number;
}

export interface Board {
  readonly columns: readonly Column[];
  /** By column, in their order. */
  cardsOf(column: string): readonly Card[];
}

type Stored = Omit<Card, 'id'>;

// Whoever may write into a document may write anything into it.
const isColumn = (value: unknown): value is Column => {
  const { id, title } = (value ?? {}) as Partial<Column>;
  return typeof id === 'string' && typeof title === 'string';
};
const isCard = (value: unknown): value is Stored => {
  const { title, column, order } = (value ?? {}) as Partial<Stored>;
  return typeof title === 'string' && typeof column === 'string' && Number.isFinite(order);
};

/** The board as Markdown. */
export function boardText(doc: Y.Doc): string {
  const { columns, cardsOf } = boardOf(doc.getArray('columns').toJSON(), doc.getMap('cards').toJSON());
  const lists = columns.map(({ id, title }) => [`## ${title}`, ...cardsOf(id).map((card) => `- ${card.title}`)].join('\n'));
  return `${lists.join('\n\n')}\n`;
}

/** The board that `columns` and `cards` of its document hold. */
export function boardOf(columns: readonly unknown[], stored: Readonly<Record<string, unknown>>): Board {
  const cards = Object.entries(stored).flatMap(([id, card]) => (isCard(card) ? [{ ...card, id }] : []));
  return {
    columns: columns.filter(isColumn),
    cardsOf: (column) =>
      cards
        .filter((card) => card.column === column)
        .sort((left, right) => left.order - right.order || (left.id < right.id ? -1 : 1)),
  };
}

const cardsIn = (document: Pick<OpenDocument, 'doc'>): Y.Map<Y.Map<string | number>> => document.doc.getMap('cards');

/** Puts a card into a column, before the one that is at `index` there now. */
export function moveCard(document: Pick<OpenDocument, 'doc'>, board: Board, id: string, column: string, index: number): void {
  const others = board.cardsOf(column).filter((card) => card.id !== id);
  document.doc.transact(() => {
    const order = makeRoom(document, others, index);
    const card = cardsIn(document).get(id);
    card?.set('column', column);
    card?.set('order', order);
  });
}

export function addCard(document: Pick<OpenDocument, 'doc'>, board: Board, column: string, title: string): void {
  const others = board.cardsOf(column);
  document.doc.transact(() => {
    const order = makeRoom(document, others, others.length);
    cardsIn(document).set(
      `card-${crypto.randomUUID().slice(0, 8)}`,
      new Y.Map<string | number>(Object.entries({ title, column, order })),
    );
  });
}

/** Moves on what stands in the way. @returns the order of a card before the one at `index` */
function makeRoom(document: Pick<OpenDocument, 'doc'>, cards: readonly Card[], index: number): number {
  const { order, others } = insertOrder(
    cards.map((card) => card.order),
    index,
  );
  cards.forEach(({ id, order: before }, at) => {
    const now = others[at] ?? before;
    if (now !== before) cardsIn(document).get(id)?.set('order', now);
  });
  return order;
}

export function removeCard(document: Pick<OpenDocument, 'doc'>, id: string): void {
  cardsIn(document).delete(id);
}
