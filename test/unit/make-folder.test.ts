import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeFolder } from '../../server/storage/make-folder.ts';

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ashlar-folder-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('a folder is made with all above it, for its owner alone, and one that is there is left as it is', () => {
  const folder = temporaryFolder();
  const wanted = join(folder, 'a/b/c');
  expect(makeFolder(wanted)).toBe(join(folder, 'a'));
  expect(statSync(wanted).mode & 0o777).toBe(0o700);
  expect(makeFolder(wanted)).toBeUndefined();
  const open = join(folder, 'open');
  mkdirSync(open, { mode: 0o755 });
  expect(makeFolder(open)).toBeUndefined();
  expect(statSync(open).mode & 0o777).toBe(0o755);
});

test('what cannot be a folder is refused: a file, one under a file, a link that leads nowhere', () => {
  const folder = temporaryFolder();
  const file = join(folder, 'file');
  writeFileSync(file, '');
  expect(() => makeFolder(file)).toThrow('is not a folder');
  expect(() => makeFolder(join(file, 'x'))).toThrow('ENOTDIR');
  const link = join(folder, 'link');
  symlinkSync(join(folder, 'nowhere'), link);
  expect(() => makeFolder(link)).toThrow('EEXIST');
});

test.skipIf(!existsSync('/proc/self'))('where the system lets nothing be made it is told at once', () => {
  expect(() => makeFolder('/proc/nothing/here')).toThrow('ENOENT');
});
