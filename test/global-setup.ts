import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

let built = false;

/** Builds dist/ once per run, for all projects. ASHLAR_SKIP_BUILD keeps the one that is there. */
export default function setup(): void {
  if (built || process.env.ASHLAR_SKIP_BUILD) return;
  built = true;
  const root = fileURLToPath(new URL('..', import.meta.url));
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  });
}
