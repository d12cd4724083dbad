import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Packs the built package and asks publint and attw about the very tarball that users would get. Expects dist/ to be built.
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ashlar-package-'));
const run = (command: string, args: readonly string[]) => execFileSync(command, args, { cwd: root, stdio: 'inherit' });

try {
  const packed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd: root });
  // npm 12 gives an object by name, older ones a list.
  const [{ filename }] = Object.values(JSON.parse(packed.toString())) as [{ filename: string }];
  const tarball = join(folder, filename);
  run('node_modules/.bin/publint', ['run', tarball, '--strict']);
  run('node_modules/.bin/attw', [tarball, '--profile', 'esm-only']);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
