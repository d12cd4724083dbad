/** Moves the name at each caret to the left as far as it would stand out of the text's right edge, where nobody could read it. */
export function placeCaretNames(text: HTMLElement): void {
  const names = [...text.querySelectorAll<HTMLElement>('.caret-name')];
  if (names.length === 0) return;
  const { right } = text.getBoundingClientRect();
  for (const name of names) {
    name.style.removeProperty('translate');
    const beyond = name.getBoundingClientRect().right - right;
    if (beyond > 0) name.style.setProperty('translate', `${-Math.ceil(beyond)}px`);
  }
}
