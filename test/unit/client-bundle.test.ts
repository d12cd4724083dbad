import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { describe, expect, test } from 'vitest';

// What is imported later is a file of its own, as every bundler of frontends writes it.
const importsLater: Plugin = {
  name: 'imports later',
  setup(building) {
    building.onResolve({ filter: /.*/ }, ({ kind, path }) => (kind === 'dynamic-import' ? { path, external: true } : undefined));
  },
};

const optionsOf = (code: string, external: readonly string[]) =>
  ({
    stdin: { contents: code, resolveDir: process.cwd(), loader: 'ts' },
    bundle: true,
    format: 'esm',
    minify: true,
    platform: 'browser',
    define: { 'process.env.NODE_ENV': '"production"' },
    metafile: true,
    write: false,
    external: [...external],
  }) satisfies BuildOptions;

/** Bundles what a frontend would, for browsers: the code that loads with the page. */
async function bundle(code: string, external: readonly string[] = []) {
  const result = await build({
    ...optionsOf(code, external),
    plugins: [importsLater],
  });
  const [output] = Object.values(result.metafile.outputs);
  const inputs = Object.entries(output?.inputs ?? {}).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : []));
  return { inputs, gzip: gzipSync(result.outputFiles[0]!.contents, { level: 9 }).length };
}

/** The same in files: what loads with the page, and what an import later adds. */
async function split(code: string, external: readonly string[]) {
  const { outputFiles, metafile } = await build({
    ...optionsOf(code, external),
    splitting: true,
    outdir: 'nowhere',
  });
  const files = new Map(
    Object.entries(metafile.outputs).map(([path, output], index) => [
      path,
      { ...output, contents: outputFiles[index]!.contents },
    ]),
  );
  const withImports = (path: string, seen = new Set<string>()): Set<string> => {
    const imports = files.get(path)?.imports ?? [];
    if (files.has(path) && !seen.has(path)) {
      seen.add(path);
      for (const { kind, path: imported } of imports) if (kind === 'import-statement') withImports(imported, seen);
    }
    return seen;
  };
  const measure = (paths: Iterable<string>) => {
    const parts = [...paths].map((path) => files.get(path)!);
    return {
      files: parts.length,
      inputs: parts.flatMap(({ inputs }) => Object.keys(inputs)),
      gzip: parts.reduce((sum, { contents }) => sum + gzipSync(contents, { level: 9 }).length, 0),
    };
  };
  const fileOf = (entryPoint: string) => [...files].find(([, output]) => output.entryPoint === entryPoint)![0];
  const atOnce = withImports(fileOf('<stdin>'));
  return {
    atOnce: measure(atOnce),
    /** @param before what an earlier import has brought */
    later(entryPoint: string, before?: string) {
      const known = before === undefined ? atOnce : withImports(fileOf(before), new Set(atOnce));
      return measure([...withImports(fileOf(entryPoint))].filter((path) => !known.has(path)));
    },
  };
}

const LATER = ['client/documents/live-document.ts', 'client/documents/restore.ts', 'client/offline/offline-documents.ts'];

const ALL = `import * as client from './client/index.ts'; console.log(client);`;
const HOOKS = `import * as hooks from './client/react/index.ts'; console.log(hooks);`;
const REACT = ['react', 'react/jsx-runtime'];
/** Yjs, and the lib0 that comes with it. */
const YJS = ['yjs', 'lib0/*'];

const importing = (name: string, from = './client/index.ts') => `import { ${name} } from '${from}'; console.log(${name});`;
const packagesOf = (inputs: readonly string[]) =>
  new Set(inputs.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []));

describe('a page loads', () => {
  // 12,700 of them are socket.io-client, 900 y-protocols.
  test('createClient with all it needs within 30 kB gzip, Yjs apart, and what keeps documents in step with the server not before there is one', async () => {
    const { atOnce, later } = await split(importing('createClient'), YJS);
    expect(atOnce.gzip).toBeLessThanOrEqual(28_200);
    expect((await split(ALL, YJS)).atOnce.gzip).toBeLessThanOrEqual(29_200);
    expect(atOnce.inputs).toContain('client/documents/document-front.ts');
    // A page that keeps nothing offline does not load what keeps; one that restores nothing, not what restores.
    expect(
      atOnce.inputs.filter((path) => /client\/(offline|documents\/(restore|live-document|document-session))/.test(path)),
    ).toEqual([]);
    for (const unwanted of ['zod', 'y-indexeddb']) expect(packagesOf(atOnce.inputs)).not.toContain(unwanted);
    expect(later('client/documents/live-document.ts').gzip).toBeLessThanOrEqual(8_000);
    // A file that two of them shared could not be asked for again (client/import-later.ts): each is one file, with nothing else but what is there.
    for (const part of LATER) expect(later(part).files).toBe(1);
    expect((await split(importing('createClient'), ['yjs'])).atOnce.gzip).toBeLessThanOrEqual(30_000);
  });

  test('createEventClient without Yjs and without a schema library, within 22,800 bytes gzip', async () => {
    const { gzip, inputs } = await bundle(importing('createEventClient'));
    for (const unwanted of ['yjs', 'y-protocols', 'lib0', 'zod']) expect(packagesOf(inputs)).not.toContain(unwanted);
    expect(gzip).toBeLessThanOrEqual(22_800);
  });

  test('ashlar/react with all hooks on top of that within 6 kB gzip, a chat with the first, and hooks that nobody imports not at all', async () => {
    for (const client of [ALL, importing('createClient')]) {
      const { atOnce } = await split(client, [...REACT, ...YJS]);
      const hooks = await split(client + HOOKS, [...REACT, ...YJS]);
      expect(hooks.atOnce.inputs).toContain('client/react/realtime-provider.ts');
      expect(hooks.atOnce.inputs).not.toContain('client/features/chat-session.ts');
      expect(hooks.atOnce.gzip - atOnce.gzip).toBeLessThanOrEqual(6_000);
      const chat = hooks.later('client/features/chat-session.ts');
      expect(chat.files).toBe(1);
      expect(chat.gzip).toBeLessThanOrEqual(2_500);
    }
    const all = await bundle(HOOKS, [...REACT, 'yjs']);
    const one = await bundle(importing('useConnectionStatus', './client/react/index.ts'), [...REACT, 'yjs']);
    expect(one.inputs).toContain('client/react/use-connection.ts');
    for (const unused of ['client/react/use-document.ts', 'client/features/chat-front.ts', 'client/features/notifications.ts']) {
      expect(all.inputs).toContain(unused);
      expect(one.inputs).not.toContain(unused);
    }
    expect(packagesOf(one.inputs)).not.toContain('y-protocols');
  });

  test('what keeps documents offline with the first that asks for it, within 4,000 bytes gzip, and the README says all that', async () => {
    const whole = await split(importing('createClient'), ['yjs']);
    const offline = whole.later('client/offline/offline-documents.ts', 'client/documents/live-document.ts');
    expect(offline.gzip).toBeLessThanOrEqual(4_000);
    expect(packagesOf(offline.inputs)).toContain('y-indexeddb');
    const { atOnce, later } = await split(importing('createClient'), YJS);
    const events = await bundle(importing('createEventClient'));
    const kB = (bytes: number) => `${Math.ceil(bytes / 1_000)} kB`;
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8').replaceAll('\n', ' ');
    const all = await split(ALL, YJS);
    const hooks = await split(ALL + HOOKS, [...REACT, ...YJS]);
    expect(readme).toContain(`\`createClient\` ${kB(atOnce.gzip)}, \`createEventClient\` ${kB(events.gzip)}`);
    expect(readme).toContain(
      `all of \`ashlar/client\` ${kB(all.atOnce.gzip)}, and \`ashlar/react\` with all hooks ${kB(hooks.atOnce.gzip - all.atOnce.gzip)} on top of that`,
    );
    expect(readme).toContain(`first chat another ${kB(hooks.later('client/features/chat-session.ts').gzip)}`);
    expect(readme).toContain(`first document loads another ${kB(later('client/documents/live-document.ts').gzip)}`);
    expect(readme).toContain(`\`offline: true\` another ${kB(offline.gzip)}`);
  });
});
