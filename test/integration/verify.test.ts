import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCli } from '../support/run-cli.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
  'dependencies' | 'peerDependencies',
  Record<string, string>
>;

interface Report {
  readonly passed: boolean;
  readonly checks: readonly { check: string; outcome: string; ms: number; detail: string }[];
}

/** A project in which the package, as built, is installed with what it declares, and nothing else. */
let project = '';
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'ashlar-verified-'));
  const installed = join(project, 'node_modules', 'ashlar');
  mkdirSync(installed, { recursive: true });
  cpSync(join(root, 'dist'), join(installed, 'dist'), { recursive: true });
  cpSync(join(root, 'package.json'), join(installed, 'package.json'));
  const names = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
  for (const name of names.filter((one) => !one.startsWith('@types/') && one !== 'react')) {
    mkdirSync(join(project, 'node_modules', name, '..'), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name));
  }
});
afterEach(() => rmSync(project, { recursive: true, force: true }));

async function verify(...args: string[]): Promise<{ code: number | null; report: Report }> {
  const cli = join(project, 'node_modules/ashlar/dist/server/cli/ashlar.js');
  const child = spawn(process.execPath, [cli, 'verify', '--json', ...args], {
    cwd: project,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (text) => {
    out += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, report: JSON.parse(out) as Report };
}

function plant(file: string, ...changes: readonly (readonly [string | RegExp, string])[]): void {
  const path = join(project, 'node_modules/ashlar/dist/server/storage/sqlite', file);
  const before = readFileSync(path, 'utf8');
  const after = changes.reduce((text, [from, to]) => text.replace(from, to), before);
  expect(after).not.toBe(before);
  writeFileSync(path, after);
}

test('ashlar verify makes each fault for real, against what is installed, and finds that everything holds', {
  timeout: 90_000,
}, async () => {
  const { code, report } = await verify('--kills', '2');
  const failed = report.checks.filter(({ outcome }) => outcome === 'failed');
  expect(failed).toEqual([]);
  expect({ code, passed: report.passed, checks: report.checks.length }).toEqual({ code: 0, passed: true, checks: 11 });
  // A full disk is the only fault that a machine may refuse to make.
  const skipped = report.checks.filter(({ outcome }) => outcome === 'skipped').map(({ check }) => check);
  expect(['', 'a full disk']).toContain(skipped.join());
});

test.each([
  {
    bug: 'records are not held against their checksums',
    file: 'read-records.js',
    changes: [['checksum !== recordChecksum', 'false && checksum !== recordChecksum']],
    finds: ['one flipped bit in a record'],
  },
  {
    bug: 'a start does not draw an epoch of its own',
    file: 'sqlite-store.js',
    changes: [[/const epoch = .*;/, "const epoch = 'always the same';"]],
    finds: ['a write-ahead log that was cut', 'an old copy put back with cp'],
  },
  {
    bug: 'commits are not synced',
    file: 'connection.js',
    changes: [
      [/synchronous = FULL/g, 'synchronous = NORMAL'],
      ['synchronous !== FULL', 'synchronous < 1'],
    ],
    finds: ['the disk is asked for every commit, on the second start too'],
  },
  {
    bug: 'the file is not written anew after an erasure',
    file: 'connection.js',
    changes: [["db.exec('VACUUM')", "db.exec('SELECT 1')"]],
    finds: ['a user who is erased'],
  },
] as const)('it finds it where $bug, and its exit code says so', { timeout: 60_000 }, async ({ file, changes, finds }) => {
  plant(file, ...changes);
  const { code, report } = await verify('--kills', '0', '--only', ...finds, 'a second server');
  const failed = report.checks.filter(({ outcome }) => outcome === 'failed').map(({ check }) => check);
  expect(failed).toEqual(finds);
  expect({ code, passed: report.passed }).toEqual({ code: 1, passed: false });
});

test('for people it is a table, with a reason for what was left out', { timeout: 60_000 }, async () => {
  const { code, out, err } = await runCli(['verify', '--kills', '0', '--only', 'flipped bit', 'kill -9']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/^passed {3}one flipped bit in a record +\d+ ms {2}not handed out; found by ashlar check$/m);
  expect(out).toMatch(/^skipped {2}kill -9 of the server at work +\d+ ms {2}--kills 0$/m);
  expect(out).toMatch(/\n1 passed, 0 failed, 1 skipped\n$/);
  const none = await runCli(['verify', '--only', 'nonsense']);
  expect(none).toMatchObject({ code: 1, out: '', err: expect.stringContaining('one flipped bit in a record') });
});
