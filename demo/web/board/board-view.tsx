import type { OpenDocument } from 'ashlar/client';
import { useUndo } from 'ashlar/react';
import { useCallback, useState } from 'react';
import { RefusedEdits } from '../connection/refused-edits.tsx';
import { useHasStopped } from '../offline/has-stopped.ts';
import { mayWrite, useAccess } from '../offline/remembered-access.ts';
import { WhenHere } from '../offline/when-here.tsx';
import { PeopleHere } from '../people/people-here.tsx';
import { focusSoon } from '../shared/focus-keeper.ts';
import { Icon } from '../shared/icon.tsx';
import { addCard, boardText, type Card, type Column, moveCard, removeCard } from './board.ts';
import { BoardCard } from './board-card.tsx';
import { NewCard } from './new-card.tsx';
import { useBoard } from './use-board.ts';
import { useCardDrag } from './use-card-drag.ts';
import { useUndoKeys } from './use-undo-keys.ts';

const UNDO = { types: ['cards'] };

/** Cards in columns, moved by mouse, finger or keyboard, by everybody at once. */
export function BoardView({ document }: { document: OpenDocument }) {
  const board = useBoard(document);
  const access = useAccess(document);
  const hasStopped = useHasStopped(document);
  const { canUndo, canRedo, undo, redo, stopCapturing } = useUndo(document, UNDO);
  const [said, setSaid] = useState('');
  const drag = useCardDrag();
  const editable = mayWrite(access) && !hasStopped;
  const takeBack = useCallback(() => {
    if (canUndo) undo();
    setSaid(canUndo ? 'Undone' : 'Nothing to undo');
  }, [canUndo, undo]);
  const bringBack = useCallback(() => {
    if (canRedo) redo();
    setSaid(canRedo ? 'Redone' : 'Nothing to redo');
  }, [canRedo, redo]);
  useUndoKeys(takeBack, bringBack);
  const { columns } = board;

  /** @param index as in `moveCard` */
  const move = (card: Card, column: Column, index: number): void => {
    const others = board.cardsOf(column.id).filter(({ id }) => id !== card.id);
    const place = Math.min(Math.max(index, 0), others.length);
    if (column.id === card.column && board.cardsOf(column.id)[place]?.id === card.id) return;
    focusSoon(card.id);
    // Each move is taken back on its own.
    stopCapturing();
    moveCard(document, board, card.id, column.id, place);
    setSaid(`${card.title}: ${column.title}, place ${place + 1} of ${others.length + 1}`);
  };

  const remove = (card: Card): void => {
    stopCapturing();
    removeCard(document, card.id);
    setSaid(`${card.title}: removed. Undo brings it back.`);
  };

  return (
    <div className="view board">
      <header className="view-head">
        <h1>Board</h1>
        {mayWrite(access) || access === null ? null : (
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
                onClick={takeBack}
              >
                <Icon name="undo" />
              </button>
              <button
                type="button"
                className="button icon-button"
                aria-label="Redo"
                title="Redo"
                aria-disabled={!canRedo}
                onClick={bringBack}
              >
                <Icon name="redo" />
              </button>
            </>
          ) : null}
        </div>
      </header>
      <RefusedEdits document={document} title="Board" text={boardText} />
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
            const [left, right] = [columns[columnIndex - 1], columns[columnIndex + 1]];
            const others = cards.filter(({ id }) => id !== drag.dragged);
            const place = drag.place?.column === column.id ? drag.place.index : null;
            const [below, above] = place === null ? [] : [others[place], others[place - 1]];
            return (
              <section
                key={column.id}
                className="column"
                aria-label={`${column.title}, ${cards.length}`}
                {...(editable
                  ? {
                      onDragEnter: (event) => drag.over(event, column.id),
                      onDragOver: (event) => drag.over(event, column.id),
                      onDragLeave: drag.leave,
                      onDrop: (event) => {
                        const dropped = drag.drop(event, column.id);
                        const card = columns.flatMap(({ id }) => board.cardsOf(id)).find(({ id }) => id === dropped?.card);
                        if (dropped !== null && card !== undefined) move(card, column, dropped.index);
                      },
                    }
                  : {})}
              >
                <h2>
                  {column.title} <span className="muted">{cards.length}</span>
                </h2>
                <ul
                  data-drop={place !== null && others.length === 0}
                  data-focus-next={`[data-new-card="${CSS.escape(column.id)}"]`}
                >
                  {cards.map((card, index) => (
                    <BoardCard
                      key={card.id}
                      card={card}
                      editable={editable}
                      left={left?.title}
                      right={right?.title}
                      above={index > 0}
                      below={index < cards.length - 1}
                      dragged={card.id === drag.dragged}
                      drop={card === below ? 'before' : below === undefined && card === above ? 'behind' : null}
                      onDragStart={(event) => drag.start(event, card.id)}
                      onDragEnd={drag.end}
                      onMove={(sideways, down) => {
                        const to = sideways < 0 ? left : sideways > 0 ? right : column;
                        if (to !== undefined) move(card, to, sideways === 0 ? index + down : board.cardsOf(to.id).length);
                      }}
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
