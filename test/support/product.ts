// A product that has installed the package, in a folder of its own, against the build: for code that stands in the docs.
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A folder in which `ashlar` is installed. @param own packages that it needs besides */
export async function product(own: readonly string[] = []): Promise<AsyncDisposable & { dir: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'ashlar-readme-'));
  await mkdir(join(dir, 'node_modules'));
  await symlink(root, join(dir, 'node_modules', 'ashlar'));
  for (const name of ['yjs', 'y-protocols', 'better-sqlite3', 'react', 'react-dom', 'jsdom', 'tsx', ...own]) {
    await mkdir(dirname(join(dir, 'node_modules', name)), { recursive: true });
    await symlink(join(root, 'node_modules', name), join(dir, 'node_modules', name));
  }
  await writeFile(join(dir, 'package.json'), '{ "type": "module" }');
  await writeFile(join(dir, 'tsconfig.json'), '{ "compilerOptions": { "jsx": "react-jsx" } }');
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) };
}

/** Runs a TypeScript file. Disposing kills it. */
export function run(dir: string, file: string, env: object) {
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
    tell: (line: string): void => void child.stdin.write(`${line}\n`),
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

/**
 * Runs a page: mounts what `app.tsx` exports as `App`, or what `app.ts` does by itself, at the address in PAGE_URL, and prints the text of the
 * page, and whether its editor may be edited, each time they change. A line of input, `click LABEL`, presses a button; `type TEXT` leaves this
 * text in the text area.
 */
export const PAGE = `import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import ${JSON.stringify(join(root, 'test/support/editors/browser-globals.ts'))};

const { fetch } = globalThis;
globalThis.fetch = (path, options) => fetch(new URL(path, window.location.href), options);
const editable = () => document.querySelector('[contenteditable]')?.getAttribute('contenteditable');
new MutationObserver(() => console.log('page:', document.body.textContent, 'editable:', editable())).observe(document.body, {
  attributeFilter: ['contenteditable'],
  childList: true,
  characterData: true,
  subtree: true,
});
createInterface(process.stdin).on('line', (line) => {
  if (line.startsWith('type ')) {
    const area = document.querySelector('textarea');
    Object.getOwnPropertyDescriptor(window.HTMLTextAreaElement.prototype, 'value').set.call(area, line.replace('type ', ''));
    area.dispatchEvent(new window.Event('input', { bubbles: true }));
    return;
  }
  const label = line.replace('click ', '');
  [...document.querySelectorAll('button')].find((button) => button.textContent === label).click();
});
const { App } = await import(existsSync('app.tsx') ? './app.tsx' : './app.ts');
if (App !== undefined) {
  const { createElement } = await import('react');
  const { createRoot } = await import('react-dom/client');
  createRoot(document.body.appendChild(document.createElement('main'))).render(createElement(App));
}
`;
