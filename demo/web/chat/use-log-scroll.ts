import type { ChatMessage } from 'ashlar/client';
import { type RefObject, useEffect, useLayoutEffect, useRef } from 'react';

/** How far from its end a list may stand and still be read at its end, CSS pixels. */
const NEAR = 40;

export interface LogScroll {
  /** What scrolls. */
  readonly list: RefObject<HTMLDivElement | null>;
  /** The message that stands first. */
  readonly first: RefObject<HTMLLIElement | null>;
  readonly onScroll: () => void;
}

/**
 * Keeps a list of messages at its end while it is read there, and after one's own message; whoever reads further up keeps the place, also when older
 * messages come above it.
 */
export function useLogScroll(messages: readonly ChatMessage[]): LogScroll {
  const list = useRef<HTMLDivElement>(null);
  const first = useRef<HTMLLIElement>(null);
  const isAtEnd = useRef(true);
  /** The message that stood first, and where. */
  const before = useRef<{ readonly element: HTMLElement; readonly top: number } | null>(null);
  const newest = messages.at(-1);
  const isSending = newest?.status === 'sending';
  // One that failed is taller than it was.
  const end = newest === undefined ? '' : `${newest.key} ${newest.status}`;
  const start = messages[0]?.key;
  // biome-ignore lint/correctness/useExhaustiveDependencies: others may stand first then, and where they did not before.
  useLayoutEffect(() => {
    const stood = before.current;
    if (stood?.element.isConnected && list.current !== null) list.current.scrollTop += stood.element.offsetTop - stood.top;
    before.current = first.current === null ? null : { element: first.current, top: first.current.offsetTop };
  }, [start, messages.length]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each is something new at the end.
  useEffect(() => {
    if (isSending || isAtEnd.current) toEnd(list.current);
  }, [end, isSending]);
  // A list that was not in sight had no end to be at.
  useEffect(() => {
    if (list.current === null) return;
    const resized = new ResizeObserver(() => {
      if (isAtEnd.current) toEnd(list.current);
    });
    resized.observe(list.current);
    return () => resized.disconnect();
  }, []);
  const onScroll = (): void => {
    // One that is out of sight keeps what it was.
    if (list.current === null || list.current.clientHeight === 0) return;
    const { scrollHeight, scrollTop, clientHeight } = list.current;
    isAtEnd.current = scrollHeight - scrollTop - clientHeight < NEAR;
  };
  return { list, first, onScroll };
}

function toEnd(list: HTMLElement | null): void {
  list?.scrollTo({ top: list.scrollHeight });
}
