import { readFileSync } from 'node:fs';

/** Ashlar's version, from the package's own package.json. */
export function packageVersion(): string {
  // One folder up in the sources, two in dist/.
  const fromHere = import.meta.url.endsWith('.ts') ? '../package.json' : '../../package.json';
  return (JSON.parse(readFileSync(new URL(fromHere, import.meta.url), 'utf8')) as { version: string }).version;
}
