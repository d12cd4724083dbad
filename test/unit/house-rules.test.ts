import { describe, expect, test } from 'vitest';
import { loadedBy, readSources, type SourceFile } from '../support/source-tree.ts';

// What biome.json cannot say. The rest of the house's rules are there: where time, chance and the environment are read, no
// default exports, no `any`, no cycles, file names.

const files = readSources('server', 'client', 'shared', 'scripts');
const sources = [...files.values()].filter(({ path }) => !path.startsWith('scripts/'));
const below = (...folders: readonly string[]) => sources.filter(({ path }) => folders.some((folder) => path.startsWith(folder)));
const isOurs = (target: string) => files.has(target);

/** `path: target` for each import of a file that must not be. */
function wrongImports(from: readonly SourceFile[], wrong: (target: string, typesOnly: boolean) => boolean): string[] {
  return from.flatMap(({ path, imports }) =>
    imports.filter(({ target, typesOnly }) => wrong(target, typesOnly)).map(({ target }) => `${path}: ${target}`),
  );
}

test('the rules see the sources', () => {
  expect(sources.length).toBeGreaterThan(150);
  expect(wrongImports(sources, (target) => target.includes('/') && target.endsWith('.ts') && !isOurs(target))).toEqual([]);
  expect(loadedBy(files, 'server/index.ts')).toContain('yjs');
  expect(loadedBy(files, 'server/clock.ts')).toEqual(new Set(['server/clock.ts']));
});

/** What package.json's `exports` name. */
const ENTRIES = /^((server|client|client\/features|client\/react|shared)\/index|server\/testing\/(index|store-contract))\.ts$/;

describe('dependencies point one way', () => {
  test('shared/ imports nothing of ours, and nothing that a browser has not', () => {
    const wrong = (target: string) => (isOurs(target) && !target.startsWith('shared/')) || target.startsWith('node:');
    expect(wrongImports(below('shared/'), wrong)).toEqual([]);
  });

  test('client/ knows shared/ alone, and nothing that a browser has not', () => {
    const wrong = (target: string) => (isOurs(target) && !/^(client|shared)\//.test(target)) || target.startsWith('node:');
    expect(wrongImports(below('client/'), wrong)).toEqual([]);
  });

  test('the server knows no client, but for the command line, which is one', () => {
    const platform = below('server/').filter(({ path }) => !path.startsWith('server/cli/'));
    expect(wrongImports(platform, (target) => target.startsWith('client/'))).toEqual([]);
  });

  test('features know the core, the core knows no feature; storage knows neither', () => {
    // Reading a stored payload (an event's upcast) is what rooms share with the features.
    const core = below('server/rooms/', 'server/sockets/').filter(({ path }) => path !== 'server/rooms/event-room.ts');
    expect(wrongImports(core, (target) => /^server\/(events|documents|http|cli)\//.test(target))).toEqual([]);
    const storage = below('server/storage/');
    expect(wrongImports(storage, (target) => /^server\/(?!storage\/|clock\.ts|worker-entry\.ts)/.test(target))).toEqual([]);
  });

  test('only the composition names SQLite, and commands for its files: everything else knows the Store', () => {
    const names = /^server\/(server|cli\/(backup|restore|check|erase|describe-verification|verify|verify\/[\w-]+))\.ts$/;
    const others = sources.filter(({ path }) => !path.startsWith('server/storage/sqlite/') && !names.test(path));
    expect(wrongImports(others, (target) => target.startsWith('server/storage/sqlite/') || target === 'better-sqlite3')).toEqual(
      [],
    );
  });

  test('entry files alone re-export', () => {
    const inside = sources.filter(({ path }) => !ENTRIES.test(path));
    expect(inside.filter(({ text }) => /^export\s+(type\s+)?[{*][^;]*\sfrom\s/m.test(text)).map(({ path }) => path)).toEqual([]);
    expect(wrongImports(inside, (target) => /\/index\.ts$/.test(target) && isOurs(target))).toEqual([]);
  });
});

test('[3] sockets are listened to in server/guard/ alone, under it the transport in server/sockets/', () => {
  const listens = /\b(io|engine|nsp|namespace|socket|conn)\s*\.\s*(on|once|use|onAny|prependAny|addListener|prependListener)\(/;
  const allowed = /^server\/(guard\/accept-sockets\.ts|sockets\/)/;
  const others = below('server/').filter(({ path }) => !allowed.test(path));
  expect(others.filter(({ text }) => listens.test(withoutComments(text))).map(({ path }) => path)).toEqual([]);
  expect(wrongImports(others, (target, typesOnly) => target === 'socket.io' && !typesOnly)).toEqual([]);
  // The transport hands bytes on and knows no message: nothing of Socket.IO's own events is listened to there.
  const transport = below('server/sockets/').filter(({ text }) => /\bio\s*\.\s*(on|use|of)\(/.test(withoutComments(text)));
  expect(transport.map(({ path }) => path)).toEqual([]);
});

test('[3] a message is taken by the guard in one place, which goes on to no listener', () => {
  const receivers = below('server/').filter(({ text }) => /\.receive\(/.test(text));
  expect(receivers.map(({ path }) => path)).toEqual(['server/guard/accept-sockets.ts']);
  const { text } = files.get('server/guard/accept-sockets.ts') as SourceFile;
  expect(text.match(/socket\.use\([^;]*;/g)).toEqual(['socket.use((packet) => line.take(packet));']);
  expect(text.match(/new MessageLine[^;]*;/g)?.map((made) => made.replace(/\s+/g, ''))).toEqual([
    'newMessageLine<readonlyunknown[]>(turns,(packet)=>ports.guard.receive(connection,boundAnswer(packet,connection)),);',
  ]);
  // What is listened to besides is Socket.IO's own word on the socket, which no client can send.
  const listened = [...text.matchAll(/socket\.(?:on|once|onAny|prependAny)\((?:'([^']*)')?/g)].map((match) => match[1]);
  expect(listened.filter((name) => name !== 'disconnect' && name !== 'error')).toEqual([]);
  expect(listened).toContain('disconnect');
});

describe('[6] the hot path holds no Y.Doc', () => {
  test('[6] on the event loop Yjs is loaded for server-side edits, and for nothing else', () => {
    const edits = 'server/documents/edit-document.ts';
    const hot = below('server/').filter(({ path }) => !/^server\/(cli|documents\/worker)\//.test(path));
    const withoutEdits = new Map([...files].filter(([path]) => path !== edits));
    const loading = hot.filter(({ path }) => path !== edits && loadedBy(withoutEdits, path).has('yjs'));
    expect(loading.map(({ path }) => path)).toEqual([]);
    expect(loadedBy(files, edits)).toContain('yjs');
  });

  test('[6] edits are reached through the documents API alone: no message of a client leads there', () => {
    const importers = sources.filter(({ imports }) =>
      imports.some(({ target, typesOnly }) => target === 'server/documents/edit-document.ts' && !typesOnly),
    );
    expect(importers.map(({ path }) => path)).toEqual(['server/documents/documents.ts']);
    expect(loadedBy(files, 'server/documents/document-messages.ts')).not.toContain('yjs');
    expect(loadedBy(files, 'server/documents/compactor.ts')).not.toContain('yjs');
  });
});

test('no source file is longer than 400 lines, and most are shorter than 200', () => {
  const all = [...files.values()];
  // Its second idea has yet to be found.
  const tooLong = new Set(['client/documents/document-session.ts']);
  expect(
    all.filter(({ path, lines }) => lines > 400 && !tooLong.has(path)).map(({ path, lines }) => `${path}: ${lines}`),
  ).toEqual([]);
  expect(all.filter(({ lines }) => lines >= 200).length).toBeLessThan(all.length / 5);
});

test('no file names a place on somebody’s machine', () => {
  const places = /(['"`( ])(\/home\/|\/Users\/|\/root\/|[A-Z]:\\\\Users)/;
  const everything = [...files.values(), ...readSources('test').values()];
  const wrong = everything.filter(({ path, text }) => path !== 'test/unit/house-rules.test.ts' && places.test(text));
  expect(wrong.map(({ path }) => path)).toEqual([]);
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}
