import { JSDOM } from 'jsdom';

// A document for React, beside Node's own globals: vitest's jsdom environment replaces URL too, and then no worker of the server starts.
// To be imported before react-dom, which looks around as it is loaded.
const { window } = new JSDOM('<!doctype html><body></body>', { url: 'http://127.0.0.1/', pretendToBeVisual: true });

const { document, navigator, MutationObserver, HTMLElement, HTMLIFrameElement, Node, Element, Event } = window;
const borrowed = { window, document, navigator, MutationObserver, HTMLElement, HTMLIFrameElement, Node, Element, Event };
for (const [name, value] of Object.entries(borrowed)) {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}
