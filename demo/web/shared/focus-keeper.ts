const HOMES = ['[data-focus-home]', 'h1', 'h2'];
const CONTROL = 'button, a[href], input, select, textarea';

/** Where the focus was, noted while it was there. */
interface Trail {
  readonly element: Element;
  /** From the element outwards. */
  readonly around: readonly Element[];
  readonly key: string | null;
  readonly next: string | null;
}

/** What is to have the focus once it is there. */
let awaited: string | null = null;

/** Gives the focus to what has a `data-focus-key`, with the page's next change at which it is there. The visitor's next key or press calls it off. */
export function focusSoon(key: string): void {
  awaited = withKey(key);
}

function withKey(key: string): string {
  return `[data-focus-key="${CSS.escape(key)}"]`;
}

/**
 * Keeps whoever works by keyboard or screen reader from falling back to the page's beginning: where the element that has the focus goes, by
 * whomever, the focus goes on. In this order: to the element of the same `data-focus-key` (also where it comes back later), to the next or
 * previous item of a list that lost one, to what a `data-focus-next` around it names, to the nearest `data-focus-home` or heading, to `main`.
 */
export function keepFocus(): void {
  let last: Trail | null = null;
  document.addEventListener('focusin', ({ target }) => {
    if (target instanceof Element) last = trailOf(target);
  });
  const callOff = (): void => {
    awaited = null;
  };
  document.addEventListener('keydown', callOff, true);
  document.addEventListener('pointerdown', callOff, true);
  // A press on nothing takes the focus away on purpose.
  document.addEventListener('click', () => {
    if (document.activeElement === document.body) last = null;
  });
  new MutationObserver((changes) => {
    if (awaited !== null && focus(document.querySelector(awaited))) awaited = null;
    if (last === null || document.activeElement !== document.body) return;
    const { element } = last;
    const gone = changes.find(({ removedNodes }) => [...removedNodes].some((node) => node.contains(element)));
    if (gone === undefined) return;
    if (element.isConnected && focus(element)) return;
    const { key, next, around } = last;
    const same = key === null ? null : withKey(key);
    if (same !== null && focus(document.querySelector(same))) return;
    awaited ??= same;
    if (focus(neighbour(gone, element)) || (next !== null && focus(document.querySelector(next)))) return;
    focus(homeIn(around));
  }).observe(document.body, { childList: true, subtree: true });
}

function trailOf(element: Element): Trail {
  const around: Element[] = [];
  for (let at: Element | null = element; at !== null; at = at.parentElement) around.push(at);
  const keyed =
    element.closest<HTMLElement>('[data-focus-key]') ?? element.closest('li')?.querySelector<HTMLElement>('[data-focus-key]');
  return {
    element,
    around,
    key: keyed?.dataset.focusKey ?? null,
    next: element.closest<HTMLElement>('[data-focus-next]')?.dataset.focusNext ?? null,
  };
}

function neighbour({ removedNodes, nextSibling, previousSibling }: MutationRecord, element: Element): Element | null {
  const item = [...removedNodes].find((node) => node instanceof HTMLLIElement && node.contains(element));
  if (item === undefined) return null;
  const beside = [nextSibling, previousSibling].filter((node) => node instanceof HTMLLIElement && node.isConnected);
  return beside.map((node) => (node as Element).querySelector(CONTROL)).find((control) => control !== null) ?? null;
}

function homeIn(around: readonly Element[]): Element | null {
  const main = document.querySelector('main');
  // Where main is within, another part's heading may be first.
  const parts = around.filter((element) => element.isConnected && !element.contains(main));
  for (const part of parts) {
    const home = HOMES.map((home) => (part.matches(home) ? part : part.querySelector(home))).find((found) => found !== null);
    if (home !== undefined) return home;
  }
  return main?.querySelector('h1') ?? main;
}

function focus(element: Element | null): boolean {
  if (!(element instanceof HTMLElement)) return false;
  if (element.tabIndex < 0) element.tabIndex = -1;
  element.focus({ preventScroll: true });
  return document.activeElement === element;
}
