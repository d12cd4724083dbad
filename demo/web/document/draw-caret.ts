/** Somebody's caret, with the name on it. */
export function drawCaret(user: Record<string, unknown>): HTMLElement {
  const color = typeof user.color === 'string' ? user.color : '#5a6068';
  const caret = document.createElement('span');
  caret.className = 'caret';
  caret.style.setProperty('border-color', color);
  const label = document.createElement('span');
  label.className = 'caret-name';
  label.style.setProperty('background-color', color);
  label.textContent = typeof user.name === 'string' ? user.name : 'Somebody';
  caret.append('\u2060', label, '\u2060');
  return caret;
}
