import { afterEach, expect, test, vi } from 'vitest';
import { createClient, platformEnvironment } from '../../client/index.ts';

afterEach(() => vi.unstubAllGlobals());

/** A window that knows who listens. */
function stubWindow() {
  const target = new EventTarget();
  const listening = new Set<string>();
  vi.stubGlobal('window', {
    navigator: { onLine: true },
    addEventListener(type: string, listener: () => void) {
      listening.add(type);
      target.addEventListener(type, listener);
    },
    removeEventListener(type: string, listener: () => void) {
      listening.delete(type);
      target.removeEventListener(type, listener);
    },
  });
  /** Whether the browser would ask before it leaves the page. */
  const asks = () => {
    const event = new Event('beforeunload', { cancelable: true });
    target.dispatchEvent(event);
    return event.defaultPrevented;
  };
  return { asks, listening };
}

const offlineClient = (options = {}) => createClient({ url: 'http://127.0.0.1:1', token: 'none', onError: () => {}, ...options });

test('a page asks before it is left while edits are unsaved, and only then', () => {
  const { asks, listening } = stubWindow();
  const client = offlineClient();
  const [one, two] = [client.document('one'), client.document('two')];
  expect(listening.has('beforeunload')).toBe(false);
  expect(asks()).toBe(false);
  one.doc.getText('text').insert(0, 'x');
  two.doc.getText('text').insert(0, 'x');
  expect(asks()).toBe(true);
});

test('the listener goes with the last unsaved edit', () => {
  const { asks } = stubWindow();
  const stop = platformEnvironment().confirmUnload!();
  expect(asks()).toBe(true);
  stop();
  expect(asks()).toBe(false);
});

test('that can be switched off, and costs nothing where there is no window', () => {
  const { asks } = stubWindow();
  offlineClient({ warnBeforeUnload: false }).document('one').doc.getText('text').insert(0, 'x');
  expect(asks()).toBe(false);
  vi.stubGlobal('window', undefined);
  offlineClient().document('one').doc.getText('text').insert(0, 'x');
});
