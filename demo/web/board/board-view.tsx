import type { OpenDocument } from 'ashlar/client';
import { useUndo } from 'ashlar/react';
import { useEffect, useRef, useState } from 'react';
import { RefusedEdits } from '../connection/save-state.tsx';
import { useAccess } from '../offline/remembered-access.ts';
import { WhenHere } from '../offline/when-here.tsx';
import { PeopleHere } from '../people/people-here.tsx';
import { catchFocus } from '../shared/catch-focus.ts';
import { Icon } from '../shared/icon.tsx';
import { BoardCard } from './board-card.tsx';
import { NewCard } from './new-card.tsx';
import { addCard, type Card, moveCard, removeCard, useBoard } from './use-board.ts';

const UNDO = { types: ['cards'] };

/** Cards in columns, moved by mouse, finger or keyboard, by everybody at once. */
export function BoardView({ document }: { document: OpenDocument }) {
  const board = useBoard(document);
  const access = useAccess(document);
  const { canUndo, canRedo, undo, redo, stopCapturing } = useUndo(document, UNDO);
  const [said, setSaid] = useState('');
  const focusNext = useRef<string | null>(null);
  const editable = access === 'write' || access === 'admin';
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // The cards’ buttons go with the right to edit.
    if (access === 'read') catchFocus(heading.current);
  }, [access]);
  const { columns } = board;

  // A moved card is another element in another list, and a removed one is none: the focus goes on.
  useEffect(() => {
    if (focusNext.current !== null) window.document.querySelector<HTMLElement>(focusNext.current)?.focus();
    focusNext.current = null;
  });

  const move = (card: Card, columnIndex: number, index: number): void => {
    const column = columns[columnIndex];
    if (column === undefined) return;
    const others = board.cardsOf(column.id).filter(({ id }) => id !== card.id);
    const place = Math.min(Math.max(index, 0), others.length);
    if (column.id === card.column && board.cardsOf(column.id)[place]?.id === card.id) return;
    focusNext.current = selectorOf(card.id);
    // Each move is taken back on its own.
    stopCapturing();
    moveCard(document, board, card.id, column.id, place);
    setSaid(`${card.title}: ${column.title}, place ${place + 1} of ${others.length + 1}`);
  };

  const remove = (card: Card): void => {
    const cards = board.cardsOf(card.column);
    const at = cards.findIndex(({ id }) => id === card.id);
    const neighbour = cards[at + 1] ?? cards[at - 1];
    focusNext.current = neighbour === undefined ? `[data-new-card="${CSS.escape(card.column)}"]` : selectorOf(neighbour.id);
    stopCapturing();
    removeCard(document, card.id);
    setSaid(`${card.title}: removed. Undo brings it back.`);
  };

  return (
    <div className="view board">
      <header className="view-head">
        <h1 ref={heading} tabIndex={-1}>
          Board
        </h1>
        {editable ? null : (
          <span className="read-only-mark">
            <Icon name="lock" /> You may only read
          </span>
        )}
        <div className="actions">
          <PeopleHere document={document} />
          {editable ? (
            <>
              <button
                type="button"
                className="button icon-button"
                aria-label="Undo"
                title="Undo"
                aria-disabled={!canUndo}
                onClick={undo}
              >
                <Icon name="undo" />
              </button>
              <button
                type="button"
                className="button icon-button"
                aria-label="Redo"
                title="Redo"
                aria-disabled={!canRedo}
                onClick={redo}
              >
                <Icon name="redo" />
              </button>
            </>
          ) : null}
        </div>
      </header>
      <RefusedEdits document={document} />
      <p className="visually-hidden" id="card-help">
        The arrow keys move the card, Delete removes it.
      </p>
      <p className="visually-hidden" role="status">
        {said}
      </p>
      <WhenHere document={document} what="board">
        <div className="columns">
          {columns.map((column, columnIndex) => {
            const cards = board.cardsOf(column.id);
            return (
              <section
                key={column.id}
                className="column"
                aria-label={`${column.title}, ${cards.length}`}
                onDragOver={(event) => editable && event.preventDefault()}
                onDrop={(event) => {
                  // A link that is dropped here must not take the page away.
                  event.preventDefault();
                  const id = event.dataTransfer.getData('text/plain');
                  const card = columns.flatMap(({ id: from }) => board.cardsOf(from)).find((one) => one.id === id);
                  const target = (event.target as Element).closest<HTMLElement>('[data-card]')?.dataset.card;
                  const index = cards.findIndex((one) => one.id === target);
                  if (card !== undefined) move(card, columnIndex, index === -1 ? cards.length : index);
                }}
              >
                <h2>
                  {column.title} <span className="muted">{cards.length}</span>
                </h2>
                <ul>
                  {cards.map((card, index) => (
                    <BoardCard
                      key={card.id}
                      card={card}
                      editable={editable}
                      left={columns[columnIndex - 1]?.title}
                      right={columns[columnIndex + 1]?.title}
                      onMove={(sideways, down) =>
                        sideways === 0
                          ? move(card, columnIndex, index + down)
                          : move(card, columnIndex + sideways, board.cardsOf(columns[columnIndex + sideways]?.id ?? '').length)
                      }
                      onRemove={() => remove(card)}
                    />
                  ))}
                </ul>
                {editable ? (
                  <NewCard id={column.id} column={column.title} onAdd={(title) => addCard(document, board, column.id, title)} />
                ) : null}
              </section>
            );
          })}
        </div>
      </WhenHere>
    </div>
  );
}

function selectorOf(cardId: string): string {
  return `[data-card="${CSS.escape(cardId)}"]`;
}
