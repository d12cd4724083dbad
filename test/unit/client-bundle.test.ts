import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

/** Bundles what a frontend would, for browsers. */
async function bundle(code: string) {
  const result = await build({
    stdin: { contents: code, resolveDir: process.cwd(), loader: 'ts' },
    bundle: true,
    format: 'esm',
    minify: true,
    platform: 'browser',
    metafile: true,
    write: false,
  });
  const [output] = Object.values(result.metafile.outputs);
  const inputs = Object.entries(output?.inputs ?? {}).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : []));
  return { inputs, gzip: gzipSync(result.outputFiles[0]!.contents, { level: 9 }).length };
}

test('a bundle that imports only createEventClient holds no Yjs, and stays small', async () => {
  const events = await bundle(`import { createEventClient } from './client/index.ts'; console.log(createEventClient);`);
  expect(events.inputs.filter((path) => /node_modules\/(yjs|y-protocols|lib0)\//.test(path))).toEqual([]);
  expect(events.gzip).toBeLessThan(30_000);
  const all = await bundle(`import { createClient } from './client/index.ts'; console.log(createClient);`);
  const yjs = await bundle(
    `import * as Y from 'yjs'; console.log(Y.Doc, Y.applyUpdate, Y.encodeStateAsUpdate, Y.mergeUpdates, Y.decodeUpdate, Y.Item);`,
  );
  expect(all.inputs.some((path) => path.includes('node_modules/yjs/'))).toBe(true);
  expect(all.gzip - yjs.gzip).toBeLessThan(42_000);
});
