// What editors look for in a browser, before they are loaded: import this first. Only that, so that sockets stay Node's.
import { JSDOM } from 'jsdom';

const { window } = new JSDOM('<!doctype html><body></body>', {
  url: process.env.PAGE_URL ?? 'http://localhost/',
  pretendToBeVisual: true,
});

const NAMES = [
  'document',
  'navigator',
  'DOMParser',
  'Element',
  'HTMLElement',
  'KeyboardEvent',
  'MutationObserver',
  'Node',
  'Window',
  'getComputedStyle',
  'getSelection',
  'requestAnimationFrame',
  'cancelAnimationFrame',
] as const;

// jsdom lays nothing out: everything is at 0, 0.
const nowhere = (): DOMRect => new window.DOMRect();
window.Range.prototype.getBoundingClientRect = nowhere;
window.Range.prototype.getClientRects = () => Object.assign([], { item: () => null }) as unknown as DOMRectList;
window.Element.prototype.scrollIntoView = () => {};
window.document.elementFromPoint = () => null;

Object.defineProperty(globalThis, 'window', { value: window, configurable: true });
for (const name of NAMES) {
  const value: unknown = window[name];
  const isFunction = typeof value === 'function' && /^[a-z]/.test(name);
  Object.defineProperty(globalThis, name, { value: isFunction ? value.bind(window) : value, configurable: true });
}
