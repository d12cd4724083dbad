import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Lockfile, missingPlatformPackages } from '../../scripts/missing-platform-packages.ts';

const text = readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8');
const lock = JSON.parse(text) as Lockfile;

/** First versions without the known holes: yjs, say, asks only for lib0 ^0.2.99, and those before 0.2.118 hand out others' memory. */
const FLOORS: Readonly<Record<string, string>> = {
  lib0: '0.2.118',
  ws: '8.21.1',
  'socket.io-parser': '4.2.6',
  'engine.io': '6.6.9',
  'socket.io': '4.6.2',
  jsonwebtoken: '9.0.0',
};

const versionsOf = (name: string) =>
  Object.entries(lock.packages).flatMap(([path, { version }]) =>
    path.endsWith(`node_modules/${name}`) && version !== undefined ? [version] : [],
  );

function isAtLeast(version: string, floor: string): boolean {
  const [have, need] = [version, floor].map((one) => one.split('.').map(Number)) as [number[], number[]];
  const index = need.findIndex((part, place) => part !== have[place]);
  return index === -1 || (have[index] ?? 0) > (need[index] ?? 0);
}

test.each(Object.entries(FLOORS))('every %s in the lockfile is at least %s', (name, floor) => {
  const versions = versionsOf(name);
  expect(versions).not.toEqual([]);
  expect(versions.filter((version) => !isAtLeast(version, floor))).toEqual([]);
});

test('the comparison of versions is one by number', () => {
  expect([isAtLeast('8.21.3', '8.21.1'), isAtLeast('10.0.0', '9.0.0'), isAtLeast('0.2.117', '0.2.118')]).toEqual([
    true,
    true,
    false,
  ]);
});

test('there is one Yjs and one lib0', () => {
  expect(versionsOf('yjs')).toHaveLength(1);
  expect(versionsOf('lib0')).toHaveLength(1);
});

test('the lockfile names no registry: each machine installs from its own', () => {
  expect(text).not.toMatch(/"resolved"|https?:\/\/[^"]*\.tgz/);
});

test('the lockfile lists the binaries of every platform, or npm ci refuses it (npm run lockfile puts them back)', () => {
  expect(missingPlatformPackages(lock)).toEqual({});
  const linux = { version: '1.0.0', optionalDependencies: { '@tool/linux-x64-musl': '1.0.0', '@tool/darwin-arm64': '1.0.0' } };
  const listed = { 'node_modules/tool': linux, 'node_modules/@tool/darwin-arm64': {} };
  expect(missingPlatformPackages({ packages: listed })).toEqual({
    'node_modules/@tool/linux-x64-musl': { version: '1.0.0', cpu: ['x64'], libc: ['musl'], optional: true, os: ['linux'] },
  });
});
