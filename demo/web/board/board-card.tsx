import type { DragEvent } from 'react';
import { Icon } from '../shared/icon.tsx';
import type { Card } from './board.ts';

const MOVES: Readonly<Record<string, readonly [sideways: number, down: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export interface BoardCardProps {
  card: Card;
  editable: boolean;
  /** The columns beside it. */
  left: string | undefined;
  right: string | undefined;
  /** Whether there is a card above it in its column, or below. */
  above: boolean;
  below: boolean;
  dragged: boolean;
  /** A dragged card would be put before this one, or behind it. */
  drop: 'before' | 'behind' | null;
  onDragStart: (event: DragEvent) => void;
  onDragEnd: () => void;
  onMove: (sideways: number, down: number) => void;
  onRemove: () => void;
}

/** A card: dragged, moved and removed by its buttons, or by the arrow keys and Delete while its title has the focus. */
export function BoardCard({
  card,
  editable,
  left,
  right,
  above,
  below,
  dragged,
  drop,
  onDragStart,
  onDragEnd,
  onMove,
  onRemove,
}: BoardCardProps) {
  if (!editable) return <li className="board-card board-card-still">{card.title}</li>;
  const classes = ['board-card', dragged ? 'board-card-dragged' : '', drop === null ? '' : `board-card-drop-${drop}`];
  return (
    <li className={classes.join(' ').trim()} draggable onDragStart={onDragStart} onDragEnd={onDragEnd}>
      <button
        type="button"
        className="board-card-title"
        data-focus-key={card.id}
        aria-describedby="card-help"
        onKeyDown={(event) => {
          const move = MOVES[event.key];
          if (move === undefined && event.key !== 'Delete') return;
          event.preventDefault();
          if (move === undefined) onRemove();
          else onMove(...move);
        }}
      >
        {card.title}
      </button>
      <span className="board-card-moves">
        {above ? (
          <button
            type="button"
            className="by-finger"
            aria-label={`Move “${card.title}” up`}
            title="Up"
            onClick={() => onMove(0, -1)}
          >
            <Icon name="up" />
          </button>
        ) : null}
        {below ? (
          <button
            type="button"
            className="by-finger"
            aria-label={`Move “${card.title}” down`}
            title="Down"
            onClick={() => onMove(0, 1)}
          >
            <Icon name="down" />
          </button>
        ) : null}
        {left === undefined ? null : (
          <button type="button" aria-label={`Move “${card.title}” to ${left}`} title={left} onClick={() => onMove(-1, 0)}>
            <Icon name="left" />
          </button>
        )}
        {right === undefined ? null : (
          <button type="button" aria-label={`Move “${card.title}” to ${right}`} title={right} onClick={() => onMove(1, 0)}>
            <Icon name="right" />
          </button>
        )}
        <button type="button" aria-label={`Remove “${card.title}”`} title="Remove" onClick={onRemove}>
          <Icon name="close" />
        </button>
      </span>
    </li>
  );
}
