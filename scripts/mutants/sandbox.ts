import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Mutant } from './read-mutants.ts';
import { type Finished, runProcess } from './run-process.ts';

/** What became of a test run. */
export interface TestRun {
  readonly passed: number;
  /** Names of the tests that failed. */
  readonly failed: readonly string[];
  /** Files without a failing test that failed all the same: they did not load. */
  readonly broken: readonly string[];
  /** The run was stopped at its time limit. */
  readonly timedOut: boolean;
  readonly output: string;
}

const BUILD_LIMIT_MS = 120_000;

/** A copy of the repository that may be broken: its own files, the original's node_modules. */
export class Sandbox {
  /** Its folder. */
  readonly root: string;
  /** Where tests put what they would clean up, had they not been stopped. */
  readonly #temporary: string;

  private constructor(root: string) {
    this.root = root;
    this.#temporary = join(root, '.tmp');
    mkdirSync(this.#temporary, { recursive: true });
  }

  /**
   * Copies a repository to a temporary folder.
   * @param commit what to copy; left out: the files as they are now, without those that git ignores
   */
  static async create(repository: string, commit?: string): Promise<Sandbox> {
    const root = mkdtempSync(join(tmpdir(), 'ashlar-mutants-'));
    const git = async (...args: string[]) => {
      const { code, output } = await runProcess('git', args, { cwd: repository, timeoutMs: 60_000 });
      if (code !== 0) throw new Error(`git ${args.join(' ')}: ${output}`);
      return output;
    };
    if (commit === undefined) {
      const listed = await git('ls-files', '--cached', '--others', '--exclude-standard', '-z');
      for (const file of new Set(listed.split('\0'))) {
        // Deleted ones are listed, too; links are somebody's own.
        if (!lstatSync(join(repository, file), { throwIfNoEntry: false })?.isFile()) continue;
        mkdirSync(dirname(join(root, file)), { recursive: true });
        copyFileSync(join(repository, file), join(root, file));
      }
    } else {
      await git('--work-tree', root, 'restore', '--source', commit, '--worktree', '.');
    }
    linkModules(join(repository, 'node_modules'), join(root, 'node_modules'));
    return new Sandbox(root);
  }

  /** Whether the patch fits; then it is in. */
  async apply(mutant: Mutant): Promise<Finished> {
    return this.#git('apply', '--whitespace=nowarn', mutant.path);
  }

  async revert(mutant: Mutant): Promise<void> {
    const { code, output } = await this.#git('apply', '--whitespace=nowarn', '--reverse', mutant.path);
    if (code !== 0) throw new Error(`${mutant.name} cannot be taken back: ${output}`);
  }

  /** Builds dist/. Types that do not fit are no hindrance: that is the mutant's nature. */
  async build(): Promise<void> {
    await this.#node(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], BUILD_LIMIT_MS);
  }

  /** Files with errors of type, relative to the root. */
  async wrongTypes(): Promise<ReadonlySet<string>> {
    const { output } = await this.#node(
      ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json', '--pretty', 'false'],
      BUILD_LIMIT_MS,
    );
    return new Set([...output.matchAll(/^(\S+\.ts)\(\d+,\d+\): error/gm)].map((match) => match[1] as string));
  }

  /** Runs test files against what was built. @param firstOnly stops at the first failure */
  async test(files: readonly string[], timeoutMs: number, firstOnly: boolean): Promise<TestRun> {
    const report = join(this.root, 'mutant-report.json');
    rmSync(report, { force: true });
    const args = ['node_modules/vitest/vitest.mjs', 'run', '--reporter=json', `--outputFile=${report}`, '--no-cache'];
    if (firstOnly) args.push('--bail=1', '--testTimeout=15000');
    const { code, output } = await this.#node([...args, ...files], timeoutMs);
    const timedOut = code === null;
    if (!existsSync(report)) return { passed: 0, failed: [], broken: timedOut ? [] : files, timedOut, output };
    const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report;
    const results = testResults.flatMap(({ assertionResults }) => assertionResults);
    return {
      passed: results.filter(({ status }) => status === 'passed').length,
      failed: results.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName.trim()),
      broken: testResults
        .filter(({ status, assertionResults }) => status === 'failed' && !assertionResults.some((one) => one.status === 'failed'))
        .map(({ name, message }) => `${name}: ${message ?? ''}`),
      timedOut,
      output,
    };
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  // The copy is no repository, and must not be taken for a part of one around it.
  #git(...args: string[]): Promise<Finished> {
    return runProcess('git', args, {
      cwd: this.root,
      timeoutMs: 60_000,
      env: { GIT_CEILING_DIRECTORIES: dirname(this.root) },
    });
  }

  #node(args: readonly string[], timeoutMs: number): Promise<Finished> {
    return runProcess(process.execPath, args, {
      cwd: this.root,
      timeoutMs,
      env: { ASHLAR_SKIP_BUILD: '1', CI: 'true', TMPDIR: this.#temporary },
    });
  }
}

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

// A folder of its own, so that what tools keep in node_modules is not shared between copies; each package a link.
function linkModules(from: string, to: string): void {
  mkdirSync(to);
  for (const entry of readdirSync(from)) if (!/^\.(vite|cache)/.test(entry)) symlinkSync(join(from, entry), join(to, entry));
}
