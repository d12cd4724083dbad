import { fileURLToPath } from 'node:url';
import { build } from 'vite';

/** Builds the demo's pages once, for all browser tests. */
export default async function setup(): Promise<void> {
  await build({ configFile: fileURLToPath(new URL('../../demo/vite.config.ts', import.meta.url)), logLevel: 'warn' });
}
