import { createClient, type Readable } from 'ashlar/client';
import { createSaveStatus } from 'ashlar/features';

// A product's page in small: one document in a text field, kept offline.

declare global {
  interface Window {
    /** The product's own server, played by the test. */
    fetchToken: (user: string) => Promise<string>;
    /** Every text that this page showed, in order. */
    shown: string[];
  }
}

const query = new URLSearchParams(location.search);
const given = (key: string): string => query.get(key) ?? '';
const user = given('user');

const userId = query.get('userId') ?? undefined;

const client = createClient({ url: given('server'), token: () => window.fetchToken(user), userId });
const notes = client.document(given('name'), { offline: true });
const field = document.createElement('textarea');
const output = (label: string): HTMLOutputElement => Object.assign(document.createElement('output'), { ariaLabel: label });
const [connection, state, saving, kept] = [output('Connection'), output('Document'), output('Saving'), output('Kept')] as const;
const signOut = document.createElement('button');
signOut.textContent = 'Sign out';
document.body.append(field, connection, state, saving, kept, signOut);
window.shown = [];

const show = (): void => {
  const text = notes.doc.getText('text').toString();
  if (field.value !== text) field.value = text;
  if (text !== '' && window.shown.at(-1) !== text) window.shown.push(text);
};
const mount = (): void => {
  notes.doc.getText('text').observe(show);
  show();
};
notes.on('reset', mount);
mount();
field.addEventListener('input', () => {
  const text = notes.doc.getText('text');
  // By whole characters: half of one cannot be written.
  const [before, after] = [[...text.toString()], [...field.value]];
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before[start] === after[start]) start++;
  let end = 0;
  while (end < most - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  const place = before.slice(0, start).join('').length;
  notes.doc.transact(() => {
    text.delete(place, before.slice(start, before.length - end).join('').length);
    text.insert(place, after.slice(start, after.length - end).join(''));
  });
});

const watch = <Value>(readable: Readable<Value>, label: (value: Value) => void): void => {
  readable.subscribe(label);
  label(readable.get());
};
watch(client.status, (status) => {
  connection.value = 'attempt' in status ? `${status.state} ${status.attempt}` : status.state;
});
watch(notes.status, (status) => {
  state.value = status.state;
});
watch(createSaveStatus(client, notes), (status) => {
  saving.value = 'changes' in status ? `${status.state} ${status.changes}` : status.state;
});
notes.on('error', (error) => {
  kept.value = error.message;
});
void notes.whenLoaded.then(() => {
  kept.value ||= notes.everSynced.get() ? 'loaded' : 'loaded nothing';
});
signOut.addEventListener('click', () => {
  void client.clearOffline().then(() => {
    kept.value = 'cleared';
  });
});
void client.connect();
