// The code of each guide is run as it stands, against the build: a guide that no longer works is a failed test.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { createClient } from '../../client/index.ts';
import { freePort, PAGE, product, run } from '../support/product.ts';
import { when } from '../support/sdk.ts';
import { SECRET, startServer, type TestServer, tokenFor } from '../support/start-server.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

const guides = fileURLToPath(new URL('../../docs/guides/', import.meta.url));

/** The files that a guide has its reader write. */
async function filesOf(guide: string): Promise<Map<string, string>> {
  const page = await readFile(join(guides, `${guide}.md`), 'utf8');
  return new Map([...page.matchAll(/<!-- file: (\S+) -->\n```tsx?\n([\s\S]*?)```/g)].map(([, name, code]) => [name!, code!]));
}

async function write(dir: string, files: ReadonlyMap<string, string>, port: number): Promise<void> {
  for (const [name, code] of files) await writeFile(join(dir, name), code.replaceAll('3000', String(port)));
  await writeFile(join(dir, 'page.ts'), PAGE);
}

// Each makes a product of its own and builds it.
vi.setConfig({ testTimeout: 90_000 });

test('an Express and React app gets live numbers, notifications and a chat as its guide says, and keeps its own routes', async () => {
  await using folder = await product(['express']);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const files = await filesOf('express-react');
  await write(
    folder.dir,
    new Map([...files].map(([name, code]) => [name, name === 'server.ts' ? `${code}\nconsole.log('ready');` : code])),
    port,
  );
  await using server = run(folder.dir, 'server.ts', { JWT_SECRET: SECRET });
  await server.says('ready');
  expect(await (await fetch(`${url}/api/orders`)).json()).toEqual([{ id: 'o1' }]);
  await using page = run(folder.dir, 'page.ts', { PAGE_URL: `${url}/` });
  await page.says('No orders yet');
  expect((await fetch(`${url}/api/orders`, { method: 'POST' })).status).toBe(201);
  await page.says('Orders: 8');
  await page.says('Unread: 1');
  page.tell('click Mark as read');
  await page.says('Unread: 0New order');
  page.tell('click Ask');
  await page.says('Anna Ek: Hello?');
  await page.says('Assistant: Thank you, Anna Ek.');
});

// A page of the guide, a server that gives it tokens for anna, and bob in the same document.
async function withEditor({ guide, document, packages = [], access = 'write' }: Shown, check: Check): Promise<void> {
  await using folder = await product(packages);
  await using server = await startServer();
  // The app of this page hands out tokens, and nothing else.
  server.http
    .removeAllListeners('request')
    .on('request', (_request, response) =>
      response.end(tokenFor('anna', { name: 'Anna Ek', access: { [`doc:${document}`]: access } })),
    );
  await write(folder.dir, await filesOf(guide), 0);
  await using network = await startTcpProxy(server.url);
  await using page = run(folder.dir, 'page.ts', { PAGE_URL: `${network.url}/` });
  const bob = createClient({ url: server.url, token: tokenFor('bob', { name: 'Bob Noyce' }) });
  try {
    await bob.connect();
    const handle = bob.document(document);
    await handle.whenSynced;
    await check({ page, handle, server, network });
  } finally {
    bob.disconnect();
  }
}
interface Shown {
  guide: string;
  document: string;
  packages?: readonly string[];
  /** Anna's, to the document. */
  access?: 'read' | 'write';
}
type Check = (there: {
  server: TestServer;
  /** Between the page and the server. */
  network: TcpProxy;
  page: ReturnType<typeof run>;
  handle: ReturnType<ReturnType<typeof createClient>['document']>;
}) => Promise<void>;

test('a Tiptap editor shows what others write, who is here, and that all is saved, as its guide says', async () => {
  const tiptap = ['core', 'pm', 'starter-kit', 'extension-collaboration', 'extension-collaboration-caret', 'y-tiptap'];
  await withEditor(
    { guide: 'tiptap', document: 'handbook', packages: tiptap.map((name) => `@tiptap/${name}`) },
    async ({ page, handle }) => {
      await page.says('All changes saved');
      await page.says('Here: Bob Noyce');
      const { XmlElement, XmlText } = await import('yjs');
      const paragraph = new XmlElement('paragraph');
      paragraph.insert(0, [new XmlText('Written by Bob.')]);
      handle.doc.getXmlFragment('default').push([paragraph]);
      await page.says('Written by Bob.');
    },
  );
});

test('a CodeMirror editor shows what others write, and can be edited while its user may write, as its guide says', async () => {
  const packages = ['codemirror', '@codemirror/state', '@codemirror/view', 'y-codemirror.next'];
  await withEditor(
    { guide: 'codemirror', document: 'readme', packages, access: 'read' },
    async ({ page, handle, server, network }) => {
      handle.doc.getText('code').insert(0, 'let it = be;');
      await page.says('let it = be; editable: false');
      await server.realtime.grant('anna', 'doc:readme', 'write');
      await page.says('let it = be; editable: true');
      await server.realtime.grant('anna', 'doc:readme', 'read');
      handle.doc.getText('code').insert(0, '{}');
      await page.says('{}let it = be; editable: false');
      // Deleted and begun anew meanwhile: another Y.Doc.
      network.cut();
      await server.realtime.documents.delete('readme');
      await server.realtime.documents.create('readme', (doc) => doc.getText('code').insert(0, 'begun anew'));
      network.mend();
      await page.says('begun anew');
    },
  );
});

test('a plain text area shows what others write, as its guide says', async () => {
  await withEditor({ guide: 'plain-text', document: 'note' }, async ({ page, handle }) => {
    await page.says('Undo');
    handle.doc.getText('body').insert(0, 'A note.');
    await page.says('A note.');
    const { doc } = handle;
    const body = doc.getText('body');
    for (const text of ['A note 👍.', 'A note 👎.']) {
      page.tell(`type ${text}`);
      await when(
        (listener) => {
          doc.on('update', listener);
          return () => doc.off('update', listener);
        },
        () => body.toString() === text,
      );
    }
  });
});

test('own events reach a client with their types and promises, as their guide says', async () => {
  await using folder = await product(['zod']);
  const port = await freePort();
  const files = await filesOf('custom-events');
  const prelude = `const fetchToken = async () => ${JSON.stringify(tokenFor('anna', { access: { 'order:*': 'write' } }))};\n`;
  await write(
    folder.dir,
    new Map(files)
      .set('server.ts', `${files.get('server.ts')}\nconsole.log('ready');`)
      .set('client.ts', prelude + files.get('client.ts')),
    port,
  );
  await using server = run(folder.dir, 'server.ts', { JWT_SECRET: SECRET });
  await server.says('ready');
  await using client = run(folder.dir, 'client.ts', {});
  await client.says('The van is in Main Street');
  await client.says('1: shipped by Snail Mail');
});
