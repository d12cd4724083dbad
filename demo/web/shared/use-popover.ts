import { type RefObject, useEffect, useRef, useState } from 'react';

export interface Popover {
  readonly isOpen: boolean;
  toggle(): void;
  /** Around button and popover: a press outside of it closes. */
  readonly box: RefObject<HTMLDivElement | null>;
  /** Opens it, and has the focus again when Escape closes it. */
  readonly button: RefObject<HTMLButtonElement | null>;
}

/** A box that a button opens; Escape and a press elsewhere close it. */
export function usePopover(): Popover {
  const [isOpen, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!isOpen) return;
    const onPointer = ({ target }: PointerEvent): void => {
      if (target instanceof Node && !box.current?.contains(target)) setOpen(false);
    };
    const onKey = ({ key }: KeyboardEvent): void => {
      if (key !== 'Escape') return;
      setOpen(false);
      button.current?.focus();
    };
    document.addEventListener('pointerdown', onPointer);
    document.addEventListener('keydown', onKey);
    return () => {
      document.removeEventListener('pointerdown', onPointer);
      document.removeEventListener('keydown', onKey);
    };
  }, [isOpen]);
  return { isOpen, toggle: () => setOpen(!isOpen), box, button };
}
