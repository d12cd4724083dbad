import { type FocusEvent, type RefObject, useCallback, useEffect, useRef, useState } from 'react';

export type Edge = 'left' | 'right';

export interface SidewaysScroll {
  /** The list whose items stand in one line that scrolls, where there is no room for all. */
  readonly scroller: RefObject<HTMLUListElement | null>;
  /** Behind which there is more. */
  readonly edges: readonly Edge[];
  readonly onScroll: () => void;
  readonly onFocus: (event: FocusEvent) => void;
}

// Each one object: most steps of a scroll change nothing.
const NONE: readonly Edge[] = [];
const LEFT: readonly Edge[] = ['left'];
const RIGHT: readonly Edge[] = ['right'];
const BOTH: readonly Edge[] = ['left', 'right'];

/**
 * Tells behind which edges of a list there is more, and brings the item with `aria-current` in sight: when it becomes that, and when the
 * list has another width; and one that the keyboard comes to. In between the visitor scrolls.
 * @param items keep their identity until they change
 * @param current changes with the item that is current; null: none is
 */
export function useSidewaysScroll(items: readonly unknown[], current: string | null): SidewaysScroll {
  const scroller = useRef<HTMLUListElement>(null);
  const [edges, setEdges] = useState<readonly Edge[]>(NONE);
  const onScroll = useCallback(() => {
    if (scroller.current !== null) setEdges(edgesWithMore(scroller.current));
  }, []);
  // Both are called at once for what they observe.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another one is to be in sight.
  useEffect(() => {
    const list = scroller.current;
    if (list === null) return;
    const resized = new ResizeObserver(() => show(list, list.querySelector('[aria-current]')));
    resized.observe(list);
    return () => resized.disconnect();
  }, [current]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: other items have other sizes.
  useEffect(() => {
    const list = scroller.current;
    if (list === null) return;
    const resized = new ResizeObserver(onScroll);
    for (const element of [list, ...list.children]) resized.observe(element);
    return () => resized.disconnect();
  }, [items, onScroll]);
  const onFocus = useCallback(({ target }: FocusEvent) => {
    // What a press gave the focus to must stay under the pointer. The browser itself takes one under an arrow for one in sight.
    if (scroller.current !== null && target.matches(':focus-visible')) show(scroller.current, target);
  }, []);
  return { scroller, edges, onScroll, onFocus };
}

function edgesWithMore({ scrollLeft, scrollWidth, clientWidth }: Element): readonly Edge[] {
  // Zoomed pages scroll by parts of a pixel.
  const left = scrollLeft > 1;
  const right = scrollLeft + clientWidth < scrollWidth - 1;
  return left ? (right ? BOTH : LEFT) : right ? RIGHT : NONE;
}

/** Brings an item into the middle. Scrolls the list alone: the page around it stays where it is. */
function show(list: Element, item: Element | null): void {
  if (item === null) return;
  const [shown, line] = [item.getBoundingClientRect(), list.getBoundingClientRect()];
  list.scrollLeft += shown.left + shown.width / 2 - (line.left + line.width / 2);
}
