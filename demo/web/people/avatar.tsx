import type { CSSProperties } from 'react';

interface Shown {
  readonly name: string;
  readonly color: string;
}

export interface AvatarProps {
  user: Shown;
  size?: 'small' | 'large';
  /** Why it is faded, in words that stand behind the name, such as `idle`; null: it is not. */
  faded?: string | null;
  /** The name stands beside it. */
  decorative?: boolean;
  /** Instead of the name alone. */
  label?: string;
}

/** A person as a circle with initials. */
export function Avatar({ user, size = 'small', faded = null, decorative = false, label = user.name }: AvatarProps) {
  const classes = ['avatar', `avatar-${size}`, faded === null ? '' : 'avatar-faded'].join(' ').trim();
  const said = faded === null ? label : `${label}, ${faded}`;
  const named = decorative ? { 'aria-hidden': true } : { role: 'img', 'aria-label': said, title: said };
  return (
    <span className={classes} style={{ '--person': user.color } as CSSProperties} {...named}>
      {initials(user.name)}
    </span>
  );
}

function initials(name: string): string {
  return name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => [...word][0] ?? '')
    .join('')
    .toUpperCase();
}
