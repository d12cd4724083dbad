import type { OpenDocument } from 'ashlar/client';
import { useArray, useMap } from 'ashlar/react';
import * as Y from 'yjs';

export interface Column {
  readonly id: string;
  readonly title: string;
}

export interface Card {
  readonly id: string;
  readonly title: string;
  readonly column: string;
  /** Places within a column, lowest first; between two there is always room for another. */
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
  return typeof title === 'string' && typeof column === 'string' && typeof order === 'number';
};

export function useBoard(document: OpenDocument): Board {
  return boardOf(useArray<unknown>(document, 'columns'), useMap<Record<string, unknown>>(document, 'cards'));
}

/** The board as Markdown. */
export function boardText(doc: Y.Doc): string {
  const { columns, cardsOf } = boardOf(doc.getArray('columns').toJSON(), doc.getMap('cards').toJSON());
  const lists = columns.map(({ id, title }) => [`## ${title}`, ...cardsOf(id).map((card) => `- ${card.title}`)].join('\n'));
  return `${lists.join('\n\n')}\n`;
}

function boardOf(columns: readonly unknown[], stored: Readonly<Record<string, unknown>>): Board {
  const cards = Object.entries(stored).flatMap(([id, card]) => (isCard(card) ? [{ ...card, id }] : []));
  return {
    columns: columns.filter(isColumn),
    cardsOf: (column) =>
      cards
        .filter((card) => card.column === column)
        .sort((left, right) => left.order - right.order || left.id.localeCompare(right.id)),
  };
}

const cardsIn = (document: OpenDocument): Y.Map<Y.Map<string | number>> => document.doc.getMap('cards');

/** Puts a card into a column, before the one that is at `index` there now. */
export function moveCard(document: OpenDocument, board: Board, id: string, column: string, index: number): void {
  const others = board.cardsOf(column).filter((card) => card.id !== id);
  const before = others[index - 1]?.order;
  const after = others[index]?.order;
  const order = before === undefined ? (after ?? 1) - 1 : after === undefined ? before + 1 : (before + after) / 2;
  document.doc.transact(() => {
    const card = cardsIn(document).get(id);
    card?.set('column', column);
    card?.set('order', order);
  });
}

export function addCard(document: OpenDocument, board: Board, column: string, title: string): void {
  const order = (board.cardsOf(column).at(-1)?.order ?? 0) + 1;
  cardsIn(document).set(
    `card-${crypto.randomUUID().slice(0, 8)}`,
    new Y.Map<string | number>(Object.entries({ title, column, order })),
  );
}

export function removeCard(document: OpenDocument, id: string): void {
  cardsIn(document).delete(id);
}
