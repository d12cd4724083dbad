/** Gives an element the focus where what had it is gone, so that whoever works by keyboard goes on from here. */
export function catchFocus(element: HTMLElement | null): void {
  if (element !== null && document.activeElement === document.body) element.focus({ preventScroll: true });
}
