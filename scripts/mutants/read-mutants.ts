import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** A small patch that breaks one thing that must hold, and the tests that must notice. */
export interface Mutant {
  /** The file's name without `.patch`; begins with what it breaks: `1-` to `8-` for an invariant, `r1-` to `r10-` for a rule of admission, `e-` erasing, `q-` the quota. */
  readonly name: string;
  readonly path: string;
  /** What no longer holds with it, as a sentence. */
  readonly breaks: string;
  /** Test files for vitest, relative to the root. */
  readonly tests: readonly string[];
  /** Files that must no longer compile, relative to the root: tests of types. */
  readonly types: readonly string[];
  /** The files that it changes. */
  readonly changes: readonly string[];
}

const FORM = /^# breaks: (?<breaks>.+)\n# tests: (?<tests>.+)\n(?=(?:diff --git|---) )/;

/**
 * Reads a mutant: two lines of comment, then a unified diff.
 * @throws Error where the file has another form
 */
export function parseMutant(path: string, text: string): Mutant {
  const groups = FORM.exec(text)?.groups;
  if (groups?.breaks === undefined || groups.tests === undefined) {
    throw new Error(`${path}: begin with "# breaks: <sentence>" and "# tests: <files>", then the diff`);
  }
  const files = groups.tests.trim().split(/\s+/);
  return {
    name: basename(path, '.patch'),
    path,
    breaks: groups.breaks.trim(),
    tests: files.filter(isTest),
    types: files.filter((file) => !isTest(file)),
    changes: [...text.matchAll(/^\+\+\+ b\/(.+)$/gm)].map((match) => match[1] as string),
  };
}

/** All mutants of a folder, by name. */
export function readMutants(folder: string): Mutant[] {
  const collator = new Intl.Collator('en', { numeric: true });
  return readdirSync(folder)
    .filter((file) => file.endsWith('.patch'))
    .sort(collator.compare)
    .map((file) => parseMutant(join(folder, file), readFileSync(join(folder, file), 'utf8')));
}

/** Run by vitest; what is none must no longer compile. */
function isTest(file: string): boolean {
  return /\.test\.tsx?$/.test(file);
}
