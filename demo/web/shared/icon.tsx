const PATHS = {
  bold: 'M8 5h5a3.500 3.500 0 0 1 0 7H8zM8 12h6a3.500 3.500 0 0 1 0 7H8z',
  heading: 'M7 5v14M17 5v14M7 12h10',
  italic: 'M11 5h6M7 19h6M14 5l-4 14',
  list: 'M5 6h.010M5 12h.010M5 18h.010M9.500 6H20M9.500 12H20M9.500 18H20',
  numbers: 'M4 5l1.500-1v5M4 14.500c.5-1 3-1 2.500.5L4 19h3M11 6h9M11 12h9M11 18h9',
  quote: 'M10 7c-3 0-5 2-5 5v5h5v-5H6M20 7c-3 0-5 2-5 5v5h5v-5h-4',
  bell: 'M6 9a6 6 0 0 1 12 0c0 5 2 6 2 7H4c0-1 2-2 2-7m4 10a2 2 0 0 0 4 0',
  board: 'M4 4h5v16H4zM10.500 4h4v10h-4zM16 4h4v13h-4z',
  chart: 'M4 19h16M6 16l4-5 3 3 5-8',
  chat: 'M4 5h16v11H10l-5 4v-4H4z',
  close: 'M6 6l12 12M18 6L6 18',
  down: 'M6 10l6 6 6-6',
  left: 'M14 6l-6 6 6 6',
  lock: 'M7 11V8a5 5 0 0 1 10 0v3M5 11h14v9H5z',
  out: 'M10 4H5v16h5M14 8l4 4-4 4M9 12h9',
  page: 'M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6',
  people:
    'M8 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7M2 20c0-4 2.500-6 6-6s6 2 6 6M16 5a3 3 0 0 1 0 6M17 14c3 .5 5 2.500 5 6',
  plug: 'M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4',
  plus: 'M12 5v14M5 12h14',
  redo: 'M19 9H9a5 5 0 0 0 0 10h5M19 9l-4-4M19 9l-4 4',
  right: 'M10 6l6 6-6 6',
  up: 'M6 14l6-6 6 6',
  undo: 'M5 9h10a5 5 0 0 1 0 10h-5M5 9l4-4M5 9l4 4',
} as const;

export type IconName = keyof typeof PATHS;

/** A line drawing beside a label; never the only name of a thing. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" width="18" height="18" aria-hidden="true">
      <path d={PATHS[name]} fill="none" stroke="currentColor" strokeWidth="1.75" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}
