import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  peerDependenciesMeta: Record<string, { optional?: boolean }>;
};

/** What the tarball holds. */
let files: string[] = [];
/** An empty project with the package as a frontend gets it: dependencies and peers that are declared, and SQLite not installed. */
let project = '';

beforeAll(() => {
  const listing: unknown = JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).toString(),
  );
  // npm 12 gives an object by name, older ones a list.
  const [pack] = Object.values(listing as object) as [{ files: { path: string }[] }];
  files = pack.files.map(({ path }) => path);

  project = mkdtempSync(join(tmpdir(), 'ashlar-project-'));
  const modules = join(project, 'node_modules');
  for (const file of files) {
    mkdirSync(dirname(join(modules, 'ashlar', file)), { recursive: true });
    cpSync(join(root, file), join(modules, 'ashlar', file));
  }
  const optional = new Set(Object.keys(manifest.peerDependenciesMeta));
  const installed = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }).filter((name) => !optional.has(name));
  for (const name of [...installed, '@types/node', 'undici-types']) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'product', type: 'module' }));
}, 60_000);

afterAll(() => {
  if (project !== '') rmSync(project, { recursive: true, force: true });
});

const node = (code: string) =>
  execFileSync(process.execPath, ['--input-type=module', '-e', code], {
    cwd: project,
    stdio: ['ignore', 'pipe', 'pipe'],
  }).toString();

test('the tarball holds what users need, and nothing else', () => {
  for (const path of ['LICENSE', 'README.md', 'CHANGELOG.md', 'package.json', 'dist/server/index.js', 'dist/client/index.d.ts']) {
    expect(files).toContain(path);
  }
  const strange = files.filter(
    (path) => !/^(dist\/|docs\/|deploy\/|LICENSE|README\.md|CHANGELOG\.md|package\.json|Dockerfile)/.test(path),
  );
  expect(strange).toEqual([]);
  expect(files.filter((path) => /demo|screens/.test(path))).toEqual([]);
  expect(files.filter((path) => /\.test\.|fixtures|(^|[^d])\.ts$/.test(path.replace('.d.ts', '')))).toEqual([]);
});

test('each entry is imported in an empty project without SQLite', () => {
  expect(node(`const { createClient } = await import('ashlar/client'); console.log(typeof createClient)`)).toBe('function\n');
  expect(node(`const { defineEvent } = await import('ashlar/shared'); console.log(typeof defineEvent)`)).toBe('function\n');
  expect(node(`const { RealtimeServer } = await import('ashlar/server'); console.log(typeof RealtimeServer)`)).toBe('function\n');
  expect(node(`import info from 'ashlar/package.json' with { type: 'json' }; console.log(info.name)`)).toBe('ashlar\n');
});

test('a server on the store in memory starts in an empty project without SQLite', () => {
  const said = node(`
    import { createServer } from 'node:http';
    import { RealtimeServer } from 'ashlar/server';
    import { openMemoryStore } from 'ashlar/testing';
    const server = new RealtimeServer({ jwtSecret: 'x'.repeat(48), store: openMemoryStore(), logLevel: 'silent' });
    await server.initialize(createServer());
    await server.documents.create('handbook');
    console.log(await server.documents.list());
    await server.close();
  `);
  expect(said).toContain('handbook');
});

test('a server without better-sqlite3 names it in its error', () => {
  const said = node(`
    import { createServer } from 'node:http';
    import { RealtimeServer } from 'ashlar/server';
    const server = new RealtimeServer({ jwtSecret: 'x'.repeat(48), dataDir: './data', logLevel: 'silent' });
    await server.initialize(createServer()).then(() => console.log('started'), (error) => console.log(error.message));
    process.exit();
  `);
  expect(said).toContain('better-sqlite3');
});

test('a frontend gets one copy of Yjs: its own', () => {
  expect(existsSync(join(project, 'node_modules/ashlar/node_modules'))).toBe(false);
  expect(manifest.dependencies).not.toHaveProperty('yjs');
  expect(manifest.dependencies).not.toHaveProperty('y-protocols');
});

test('types reach a project that installed the package, and a wrong payload does not compile', () => {
  writeFileSync(
    join(project, 'product.ts'),
    `import { createClient } from 'ashlar/client';
import { RealtimeServer } from 'ashlar/server';
const client = createClient({ url: 'http://127.0.0.1', token: 'x' });
client.on('dashboard:update', ({ value }) => value.toFixed(1));
// @ts-expect-error the value is a number
client.on('dashboard:update', ({ value }) => value.trim());
const server = new RealtimeServer({ jwtSecret: 'x'.repeat(48) });
void server.toRoom('dashboard', 'dashboard:update', { widgetId: 'a', value: 7, timestamp: '2026-01-01T00:00:00Z' });
// @ts-expect-error the value is a number
void server.toRoom('dashboard', 'dashboard:update', { widgetId: 'a', value: '7', timestamp: '2026-01-01T00:00:00Z' });
`,
  );
  const compilerOptions = { module: 'nodenext', target: 'es2023', strict: true, noEmit: true, types: ['node'] };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['product.ts'] }));
  let said = '';
  try {
    execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project], { stdio: 'pipe' });
  } catch (thrown) {
    said = String((thrown as { stdout?: Buffer }).stdout);
  }
  expect(said).toBe('');
}, 60_000);
