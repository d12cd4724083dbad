import type { OpenDocument } from 'ashlar/client';
import { useEffect } from 'react';

const IDLE_AFTER_MS = 60_000;
const SIGNS = ['pointerdown', 'pointermove', 'keydown', 'focus'] as const;

/** Tells the others, in a document's awareness, whether this person is at the keyboard, and where. */
export function useActivity(document: OpenDocument | null, place: string): void {
  const awareness = document?.awareness;
  useEffect(() => {
    if (awareness === undefined) return;
    let timer: ReturnType<typeof setTimeout>;
    let idle: boolean | null = null;
    const show = (next: boolean): void => {
      if (next === idle) return;
      idle = next;
      awareness.setLocalStateField('activity', { idle, place });
    };
    const active = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => show(true), IDLE_AFTER_MS);
      show(false);
    };
    active();
    for (const sign of SIGNS) window.addEventListener(sign, active, { passive: true });
    return () => {
      clearTimeout(timer);
      for (const sign of SIGNS) window.removeEventListener(sign, active);
    };
  }, [awareness, place]);
}
