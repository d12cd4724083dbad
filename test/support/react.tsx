import './dom.ts';
import { type ReactNode, act as reactAct, StrictMode } from 'react';
import { createRoot, hydrateRoot } from 'react-dom/client';
import { afterEach, beforeEach, expect, vi } from 'vitest';

const flags = globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean };

/** Runs what changes a page, and all effects of it. Between two of them the page follows its sockets as it would in a browser. */
export async function act(task: () => unknown): Promise<void> {
  flags.IS_REACT_ACT_ENVIRONMENT = true;
  try {
    await reactAct(async () => {
      await task();
    });
  } finally {
    flags.IS_REACT_ACT_ENVIRONMENT = false;
  }
}

export interface Page extends AsyncDisposable {
  readonly element: HTMLElement;
  /** All text of the page. */
  readonly text: string;
  /** Renders something else in the same place. */
  render(node: ReactNode): Promise<void>;
  /** Resolves once the page's text passes. */
  shows(expected: string | ((text: string) => boolean)): Promise<void>;
  unmount(): Promise<void>;
}

/** Mounts something in a document of its own place, in StrictMode. */
export async function mount(node: ReactNode): Promise<Page> {
  const element = document.body.appendChild(document.createElement('main'));
  const root = createRoot(element, { onUncaughtError: () => {}, onCaughtError: () => {} });
  const render = (next: ReactNode) => act(() => root.render(<StrictMode>{next}</StrictMode>));
  await render(node);
  let mounted = true;
  const unmount = async () => {
    if (!mounted) return;
    mounted = false;
    await act(() => root.unmount());
    element.remove();
  };
  return {
    element,
    get text() {
      return element.textContent ?? '';
    },
    render,
    unmount,
    shows(expected) {
      const passes = () => {
        const text = element.textContent ?? '';
        return typeof expected === 'string' ? text === expected : expected(text);
      };
      if (passes()) return Promise.resolve();
      return new Promise((resolve) => {
        const observer = new MutationObserver(() => {
          if (!passes()) return;
          observer.disconnect();
          resolve();
        });
        observer.observe(element, { subtree: true, childList: true, characterData: true, attributes: true });
      });
    },
    [Symbol.asyncDispose]: unmount,
  };
}

/** Lets a page take over what a server rendered, in StrictMode. @returns the text, and what React had to mend */
export async function hydrate(html: string, node: ReactNode): Promise<{ text: string; mended: unknown[] }> {
  const element = document.body.appendChild(document.createElement('main'));
  element.innerHTML = html;
  const mended: unknown[] = [];
  let root: ReturnType<typeof hydrateRoot> | undefined;
  await act(() => {
    root = hydrateRoot(element, <StrictMode>{node}</StrictMode>, { onRecoverableError: (error) => mended.push(error) });
  });
  const text = element.textContent ?? '';
  await act(() => root?.unmount());
  element.remove();
  return { text, mended };
}

/** Fails each test of a file in which React, or anything else, wrote an error or a warning to the console. */
export function expectQuietConsole(): void {
  const said: unknown[][] = [];
  beforeEach(() => {
    said.length = 0;
    for (const level of ['error', 'warn'] as const) {
      vi.spyOn(console, level).mockImplementation((...args) => {
        said.push(args);
      });
    }
  });
  afterEach(() => {
    vi.restoreAllMocks();
    expect(said).toEqual([]);
  });
}
