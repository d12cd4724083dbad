import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build, type Plugin } from 'esbuild';
import { describe, expect, test } from 'vitest';

// What is imported later is a file of its own, as every bundler of frontends writes it.
const importsLater: Plugin = {
  name: 'imports later',
  setup(building) {
    building.onResolve({ filter: /.*/ }, ({ kind, path }) => (kind === 'dynamic-import' ? { path, external: true } : undefined));
  },
};

/** Bundles what a frontend would, for browsers: the code that loads with the page. */
async function bundle(code: string, external: readonly string[] = []) {
  const result = await build({
    stdin: { contents: code, resolveDir: process.cwd(), loader: 'ts' },
    bundle: true,
    format: 'esm',
    minify: true,
    platform: 'browser',
    define: { 'process.env.NODE_ENV': '"production"' },
    metafile: true,
    write: false,
    external: [...external],
    plugins: [importsLater],
  });
  const [output] = Object.values(result.metafile.outputs);
  const inputs = Object.entries(output?.inputs ?? {}).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : []));
  return { inputs, gzip: gzipSync(result.outputFiles[0]!.contents, { level: 9 }).length };
}

const importing = (name: string, from = './client/index.ts') => `import { ${name} } from '${from}'; console.log(${name});`;
const packagesOf = (inputs: readonly string[]) =>
  new Set(inputs.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []));

describe('a page loads', () => {
  // 12,700 of them are socket.io-client, 900 y-protocols.
  test('createClient with all it needs within 32,800 bytes gzip, Yjs and the lib0 that comes with it apart', async () => {
    const { gzip, inputs } = await bundle(importing('createClient'), ['yjs', 'lib0/*']);
    expect(gzip).toBeLessThanOrEqual(32_800);
    expect(inputs).toContain('client/documents/live-document.ts');
    // A page that keeps nothing offline does not load what keeps; one that restores nothing, not what restores.
    expect(inputs.filter((path) => /client\/(offline|documents\/restore)/.test(path))).toEqual([]);
    for (const unwanted of ['zod', 'y-indexeddb']) expect(packagesOf(inputs)).not.toContain(unwanted);
    expect((await bundle(importing('createClient'), ['yjs'])).gzip).toBeLessThanOrEqual(34_100);
  });

  test('createEventClient without Yjs and without a schema library, within 22,800 bytes gzip', async () => {
    const { gzip, inputs } = await bundle(importing('createEventClient'));
    for (const unwanted of ['yjs', 'y-protocols', 'lib0', 'zod']) expect(packagesOf(inputs)).not.toContain(unwanted);
    expect(gzip).toBeLessThanOrEqual(22_800);
  });

  test('ashlar/react on top of that within 2,300 bytes gzip, hooks that nobody imports not at all', async () => {
    const react = ['react', 'react/jsx-runtime', 'yjs'];
    const all = `import * as client from './client/index.ts'; console.log(client);`;
    const client = await bundle(all, react);
    const hooks = await bundle(`${all} import * as hooks from './client/react/index.ts'; console.log(hooks);`, react);
    expect(hooks.inputs).toContain('client/react/realtime-provider.ts');
    expect(hooks.gzip - client.gzip).toBeLessThanOrEqual(2_300);
    const one = await bundle(importing('useConnectionStatus', './client/react/index.ts'), react);
    expect(one.inputs).toContain('client/react/use-connection.ts');
    for (const unused of ['client/react/use-document.ts', 'client/features/chat-session.ts']) {
      expect(hooks.inputs).toContain(unused);
      expect(one.inputs).not.toContain(unused);
    }
    expect(packagesOf(one.inputs)).not.toContain('y-protocols');
  });

  test('what keeps documents offline with the first that asks for it, within 4,000 bytes gzip, and the README says all that', async () => {
    const { outputFiles, metafile } = await build({
      stdin: { contents: importing('createClient'), resolveDir: process.cwd(), loader: 'ts' },
      bundle: true,
      splitting: true,
      format: 'esm',
      minify: true,
      platform: 'browser',
      metafile: true,
      write: false,
      outdir: 'nowhere',
      external: ['yjs'],
    });
    const parts = Object.values(metafile.outputs).map(({ inputs }, index) => ({
      inputs: Object.keys(inputs),
      gzip: gzipSync(outputFiles[index]!.contents, { level: 9 }).length,
    }));
    const offline = parts.find(({ inputs }) => inputs.includes('client/offline/offline-documents.ts'))!;
    expect(offline.gzip).toBeLessThanOrEqual(4_000);
    expect(packagesOf(offline.inputs)).toContain('y-indexeddb');
    const { gzip } = await bundle(importing('createClient'), ['yjs', 'lib0/*']);
    const events = await bundle(importing('createEventClient'));
    const kB = (bytes: number) => `${Math.ceil(bytes / 1_000)} kB`;
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8').replaceAll('\n', ' ');
    expect(readme).toContain(`\`createClient\` ${kB(gzip)}, \`createEventClient\` ${kB(events.gzip)}, \`ashlar/react\``);
    expect(readme).toContain(`\`offline: true\` loads another ${kB(offline.gzip)}`);
  });
});
