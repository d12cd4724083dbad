// Relative luminance (WCAG 2) at which text has a contrast of 4.5 on white and of 4.6 on black: carets and name tags are
// readable on light and dark pages, with white text on them or beside them.
const LUMINANCE = 0.18;
const SATURATIONS = [0.55, 0.7, 0.85] as const;

/**
 * The colour of a user whose token names none: always the same for the same id, and readable on white and on black.
 * @returns `#rrggbb`
 */
export function deriveColor(userId: string): string {
  const hash = fnv1a(userId);
  const hue = hash % 360;
  const saturation = SATURATIONS[Math.floor(hash / 360) % SATURATIONS.length] ?? SATURATIONS[0];
  let dark = 0;
  let light = 1;
  for (let round = 0; round < 12; round++) {
    const middle = (dark + light) / 2;
    if (luminance(toRgb(hue, saturation, middle)) < LUMINANCE) dark = middle;
    else light = middle;
  }
  return `#${toRgb(hue, saturation, dark)
    .map((channel) =>
      Math.round(channel * 255)
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`;
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  // FNV leaves short texts alike in their high bits: mix once more, or `user1` and `user2` look the same.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}

type Rgb = readonly [number, number, number];

function toRgb(hue: number, saturation: number, lightness: number): Rgb {
  const reach = saturation * Math.min(lightness, 1 - lightness);
  const channel = (offset: number): number => {
    const at = (offset + hue / 30) % 12;
    return lightness - reach * Math.max(-1, Math.min(at - 3, 9 - at, 1));
  };
  return [channel(0), channel(8), channel(4)];
}

function luminance([red, green, blue]: Rgb): number {
  const linear = (channel: number): number => (channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}
