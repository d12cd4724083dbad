/**
 * The file to start a worker thread from. Node 20 starts no TypeScript worker, so that code which runs from its source (in tests)
 * starts the built one of the same name.
 * @param from the caller's `import.meta.url`
 * @param relative the worker's path from there, with the ending `.ts`
 */
export function workerEntry(from: string, relative: string): URL {
  const source = new URL(relative, from);
  if (!from.endsWith('.ts')) return new URL(source.href.replace(/\.ts$/, '.js'));
  const root = new URL('..', import.meta.url).href;
  return new URL(`dist/${source.href.slice(root.length).replace(/\.ts$/, '.js')}`, root);
}
