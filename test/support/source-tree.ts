import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** One TypeScript file as the house rules see it. Paths are relative to the root, with `/`. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  /** What it imports: a path for files of ours, else the module's name. */
  readonly imports: readonly { readonly target: string; readonly typesOnly: boolean }[];
}

/** All TypeScript files below some folders of the repository, by path. */
export function readSources(...folders: readonly string[]): ReadonlyMap<string, SourceFile> {
  const files = new Map<string, SourceFile>();
  for (const folder of folders) {
    for (const name of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })) {
      if (!/\.tsx?$/.test(name)) continue;
      const path = posix.join(folder, name.replaceAll('\\', '/'));
      const text = readFileSync(join(ROOT, path), 'utf8');
      files.set(path, { path, text, lines: text.trimEnd().split('\n').length, imports: importsOf(path, text) });
    }
  }
  return files;
}

/** Everything that a file loads when it is run, itself included: types load nothing. */
export function loadedBy(files: ReadonlyMap<string, SourceFile>, start: string): ReadonlySet<string> {
  const loaded = new Set([start]);
  for (const path of loaded) {
    for (const { target, typesOnly } of files.get(path)?.imports ?? []) if (!typesOnly) loaded.add(target);
  }
  return loaded;
}

const STATEMENT =
  /^(?:import|export)\s+(?:(?<names>(?:type\s+)?(?:\w+|\*(?:\s+as\s+\w+)?|\{[^}]*\}))\s+from\s+)?'(?<from>[^']+)'/gm;
const DYNAMIC = /\bimport\('(?<from>[^']+)'\)/g;

function importsOf(path: string, text: string): SourceFile['imports'] {
  const resolve = (from: string) => (from.startsWith('.') ? posix.normalize(posix.join(dirname(path), from)) : from);
  const found = [...text.matchAll(STATEMENT)].map(({ groups }) => ({
    target: resolve(groups?.from ?? ''),
    typesOnly: isTypesOnly(groups?.names ?? ''),
  }));
  for (const { groups } of text.matchAll(DYNAMIC)) found.push({ target: resolve(groups?.from ?? ''), typesOnly: false });
  return found;
}

function isTypesOnly(names: string): boolean {
  if (/^type\b/.test(names)) return true;
  const list = /^\{(?<list>[^}]*)\}$/.exec(names)?.groups?.list;
  const each = (list ?? '').split(',').flatMap((name) => name.trim() || []);
  return each.length > 0 && each.every((name) => name.startsWith('type '));
}
