interface Shown {
  readonly name: string;
  readonly color: string;
}

export interface AvatarProps {
  user: Shown;
  size?: 'small' | 'large';
  /** Away for a while. */
  idle?: boolean;
  /** The name stands beside it. */
  decorative?: boolean;
  /** Instead of the name alone. */
  label?: string;
}

/** A person as a circle with initials. */
export function Avatar({ user, size = 'small', idle = false, decorative = false, label = user.name }: AvatarProps) {
  const classes = ['avatar', `avatar-${size}`, idle ? 'avatar-idle' : ''].join(' ').trim();
  const said = idle ? `${label}, idle` : label;
  const named = decorative ? { 'aria-hidden': true } : { role: 'img', 'aria-label': said, title: said };
  return (
    <span className={classes} style={{ backgroundColor: user.color }} {...named}>
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
