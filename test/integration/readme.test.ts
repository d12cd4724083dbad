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
  const found = new RegExp(`<!-- snippet: ${name} -->\\n\`\`\`ts\\n([\\s\\S]*?)\`\`\``).exec(readme)?.[1];
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
  for (const name of ['yjs', 'y-protocols', 'better-sqlite3']) {
    await symlink(join(root, 'node_modules', name), join(dir, 'node_modules', name));
  }
  await writeFile(join(dir, 'package.json'), '{ "type": "module" }');
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
        if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}: ${output}`);
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

test('the README’s snippets for server and client run as they stand, against each other', async () => {
  await using folder = await product();
  await symlink(join(root, 'node_modules', 'tsx'), join(folder.dir, 'node_modules', 'tsx'));
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
});
