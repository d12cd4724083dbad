// The snippets are run as they stand, in a folder of their own, against the build.
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { SECRET, tokenFor } from '../support/start-server.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

async function snippet(name: string): Promise<string> {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const found = new RegExp(`<!-- snippet: ${name} -->\\n\`\`\`tsx?\\n([\\s\\S]*?)\`\`\``).exec(readme)?.[1];
  if (found === undefined) throw new Error(`README.md has no snippet ${name}`);
  return found;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A folder in which `ashlar` is installed. */
async function product(): Promise<AsyncDisposable & { dir: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'ashlar-readme-'));
  await mkdir(join(dir, 'node_modules'));
  await symlink(root, join(dir, 'node_modules', 'ashlar'));
  for (const name of ['yjs', 'y-protocols', 'better-sqlite3', 'react', 'react-dom', 'jsdom', 'tsx']) {
    await symlink(join(root, 'node_modules', name), join(dir, 'node_modules', name));
  }
  await writeFile(join(dir, 'package.json'), '{ "type": "module" }');
  await writeFile(join(dir, 'tsconfig.json'), '{ "compilerOptions": { "jsx": "react-jsx" } }');
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) };
}

function run(dir: string, file: string, env: object) {
  const child = spawn(process.execPath, ['--import', 'tsx', file], {
    cwd: dir,
    env: { ...process.env, NODE_PATH: join(root, 'node_modules'), ...env },
  });
  let output = '';
  const waiting: (() => void)[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => {
      output += data;
      for (const wake of waiting.splice(0)) wake();
    });
  }
  child.on('exit', () => {
    for (const wake of waiting.splice(0)) wake();
  });
  return {
    /** Resolves once the output holds the text. */
    async says(text: string): Promise<void> {
      while (!output.includes(text)) {
        if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}: ${output.replaceAll(/^ +at .*\n/gm, '')}`);
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        if (child.exitCode !== null) return resolve();
        child.on('exit', () => resolve());
        child.kill('SIGKILL');
      }),
  };
}

/** Shows what the snippet exports in a page, and prints the page's text each time it changes. */
const PAGE = `import { JSDOM } from 'jsdom';
const { window } = new JSDOM('<main></main>');
Object.assign(globalThis, { window, document: window.document, navigator: window.navigator });
const { createElement } = await import('react');
const { createRoot } = await import('react-dom/client');
const { App } = await import('./app.tsx');
const main = window.document.querySelector('main');
new window.MutationObserver(() => console.log('page:', main.textContent)).observe(main, { childList: true, characterData: true, subtree: true });
createRoot(main).render(createElement(App));
`;

test('the README’s snippets for server, client and React run as they stand, against each other', async () => {
  await using folder = await product();
  const port = await freePort();
  const here = (source: string) => source.replaceAll('3000', String(port));
  await writeFile(join(folder.dir, 'server.ts'), `${here(await snippet('server'))}\nconsole.log('server: ready');\n`);
  const prelude = `const fetchToken = async () => ${JSON.stringify(tokenFor('anna'))};\n`;
  const coda = `console.log('client:', handbook.doc.getText('body').toString());\n`;
  await writeFile(join(folder.dir, 'client.ts'), prelude + here(await snippet('client')) + coda);
  await using server = run(folder.dir, 'server.ts', { JWT_SECRET: SECRET });
  await server.says('server: ready');
  await using client = run(folder.dir, 'client.ts', {});
  await client.says('orders 7');
  await client.says('client: ');
  await client.says('Welcome. ');
  expect(await snippet('client')).toContain('whenSaved');

  await writeFile(join(folder.dir, 'app.tsx'), prelude + here(await snippet('react')));
  await writeFile(join(folder.dir, 'page.ts'), PAGE);
  await using page = run(folder.dir, 'page.ts', {});
  await page.says('Welcome. ');
  await page.says('Orders: 7. Here: anna. saved');
});
