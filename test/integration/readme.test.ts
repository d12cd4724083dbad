// The snippets are run as they stand, in a folder of their own, against the build.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { freePort, PAGE, product, run } from '../support/product.ts';
import { SECRET, tokenFor } from '../support/start-server.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

async function snippet(name: string): Promise<string> {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const found = new RegExp(`<!-- snippet: ${name} -->\\n\`\`\`tsx?\\n([\\s\\S]*?)\`\`\``).exec(readme)?.[1];
  if (found === undefined) throw new Error(`README.md has no snippet ${name}`);
  return found;
}

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
  await using page = run(folder.dir, 'page.ts', { PAGE_URL: `http://127.0.0.1:${port}/` });
  await page.says('Welcome. ');
  await page.says('Orders: 7. Here: anna. saved');
});
