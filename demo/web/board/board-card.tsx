import type { DragEvent } from 'react';
import { Icon } from '../shared/icon.tsx';
import type { Card } from './board.ts';

type Move = readonly [sideways: number, down: number];

const MOVES: Readonly<Record<string, Move>> = {
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

interface MoveButton {
  icon: 'up' | 'down' | 'left' | 'right';
  title: string;
  /** The end of what it is called. */
  where: string;
  move: Move;
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
  const moves: readonly MoveButton[] = [
    ...(above ? [{ icon: 'up', title: 'Up', where: 'up', move: [0, -1] } as const] : []),
    ...(below ? [{ icon: 'down', title: 'Down', where: 'down', move: [0, 1] } as const] : []),
    ...(left === undefined ? [] : [{ icon: 'left', title: left, where: `to ${left}`, move: [-1, 0] } as const]),
    ...(right === undefined ? [] : [{ icon: 'right', title: right, where: `to ${right}`, move: [1, 0] } as const]),
  ];
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
        {moves.map(({ icon, title, where, move }) => (
          <button
            key={icon}
            type="button"
            className={move[0] === 0 ? 'by-finger' : undefined}
            aria-label={`Move “${card.title}” ${where}`}
            title={title}
            onClick={() => onMove(...move)}
          >
            <Icon name={icon} />
          </button>
        ))}
        <button type="button" aria-label={`Remove “${card.title}”`} title="Remove" onClick={onRemove}>
          <Icon name="close" />
        </button>
      </span>
    </li>
  );
}
