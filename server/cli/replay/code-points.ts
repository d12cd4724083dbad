/**
 * The UTF-16 index of a code point in a text.
 * @param from where to start, in UTF-16 units
 * @param count code points from there
 */
export function utf16Index(text: string, from: number, count: number): number {
  let index = from;
  for (let left = count; left > 0; left -= 1) {
    const unit = text.charCodeAt(index);
    const isPair = unit >= 0xd800 && unit <= 0xdbff && index + 1 < text.length;
    index += isPair ? 2 : 1;
  }
  return index;
}

/** Whether a text has characters that take two UTF-16 units. */
export function hasPairs(text: string): boolean {
  return /[\ud800-\udbff]/.test(text);
}
