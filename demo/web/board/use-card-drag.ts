import { type DragEvent, useState } from 'react';

/** Its own type: a card's id dropped into a text field would be no text. */
const CARD = 'application/x-ashlar-card';

/** Where a dragged card would be put: into a column, before the card that is at `index` there without it. */
export interface DropPlace {
  readonly column: string;
  readonly index: number;
}

export interface CardDrag {
  /** The card that is dragged, one of this page. */
  readonly dragged: string | null;
  readonly place: DropPlace | null;
  /** For a card. */
  start(event: DragEvent, card: string): void;
  /** For what a card is dragged over, and dropped on. */
  over(event: DragEvent<HTMLElement>, column: string): void;
  leave(event: DragEvent): void;
  /** @returns what was dropped where; null: no card */
  drop(event: DragEvent<HTMLElement>, column: string): (DropPlace & { readonly card: string }) | null;
  end(): void;
}

/** Cards dragged by mouse, within this page or from another window of it. */
export function useCardDrag(): CardDrag {
  const [dragged, setDragged] = useState<string | null>(null);
  const [place, setPlace] = useState<DropPlace | null>(null);
  const placeOf = ({ currentTarget, clientY }: DragEvent<HTMLElement>, column: string, card: string | null): DropPlace => {
    const cards = [...currentTarget.querySelectorAll<HTMLElement>('[data-focus-key]')].filter(
      ({ dataset }) => dataset.focusKey !== card,
    );
    const below = cards.findIndex((one) => {
      const { top, height } = one.getBoundingClientRect();
      return clientY < top + height / 2;
    });
    return { column, index: below === -1 ? cards.length : below };
  };
  const end = (): void => {
    setDragged(null);
    setPlace(null);
  };
  return {
    dragged,
    place,
    start({ dataTransfer }, card) {
      dataTransfer.setData(CARD, card);
      dataTransfer.effectAllowed = 'move';
      setDragged(card);
    },
    over(event, column) {
      // Also what is no card: a link that is dropped here must not take the page away.
      event.preventDefault();
      if (!event.dataTransfer.types.includes(CARD)) return;
      event.dataTransfer.dropEffect = 'move';
      const next = placeOf(event, column, dragged);
      setPlace((before) => (before?.column === column && before.index === next.index ? before : next));
    },
    leave({ currentTarget, relatedTarget }) {
      if (!(relatedTarget instanceof Node && currentTarget.contains(relatedTarget))) setPlace(null);
    },
    drop(event, column) {
      event.preventDefault();
      const card = event.dataTransfer.getData(CARD);
      const dropped = { card, ...placeOf(event, column, card) };
      end();
      return card === '' ? null : dropped;
    },
    end,
  };
}
