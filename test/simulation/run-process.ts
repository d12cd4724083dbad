import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

/**
 * Runs the simulation in a process of its own, whose clock, timers and chance it takes over: bundled, so that nothing is loaded while it runs.
 * @param sources the repository, or a copy of it that is broken on purpose
 * @param root where `node_modules` is
 * @param told gets the output as it comes
 */
export async function runSimulation(
  sources: string,
  root: string,
  args: readonly string[],
  told: (text: string) => void = () => {},
): Promise<{ code: number | null; output: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'ashlar-sim-'));
  try {
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    // Where the built server looks for its version.
    copyFileSync(join(root, 'package.json'), join(folder, 'package.json'));
    await build({
      entryPoints: [join(sources, 'test/simulation/entry.ts')],
      outdir: join(folder, 'built/server'),
      bundle: true,
      splitting: true,
      packages: 'external',
      platform: 'node',
      target: 'node20',
      format: 'esm',
      outExtension: { '.js': '.mjs' },
      sourcemap: 'inline',
      logLevel: 'warning',
    });
    return await new Promise((resolve, reject) => {
      const child = spawn(process.execPath, ['--enable-source-maps', join(folder, 'built/server/entry.mjs'), ...args], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let output = '';
      child.stdout.on('data', (text: Buffer) => {
        output += text;
        told(text.toString());
      });
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, output }));
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
