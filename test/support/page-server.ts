import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { build } from 'esbuild';
import { ROOT } from './source-tree.ts';

/** Serves pages that know nothing of a realtime server, as a file server or a service worker would: they load while that one is gone. */
export interface PageServer extends AsyncDisposable {
  readonly url: string;
}

/** Bundles each script as a product would, from the build in `dist/`, and serves it as a page under its name. */
export async function startPageServer(entries: Readonly<Record<string, string>>): Promise<PageServer> {
  const { outputFiles } = await build({
    entryPoints: entries,
    absWorkingDir: ROOT,
    outdir: '/',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    define: { 'process.env.NODE_ENV': '"development"' },
    write: false,
    // Without this tree's paths: `ashlar/client` is what the package exports.
    tsconfigRaw: { compilerOptions: { jsx: 'react-jsx' } },
  });
  const files = new Map(outputFiles.map(({ path, text }) => [path, text]));
  const server = createServer(({ url = '/' }, response) => {
    const { pathname } = new URL(url, 'http://localhost');
    const script = files.get(pathname);
    if (script !== undefined) response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(script);
    else if (!files.has(`${pathname}.js`)) response.writeHead(204).end();
    else {
      response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
      response.end(`<!doctype html><title>A page</title><body><script type="module" src="${pathname}.js"></script></body>`);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
