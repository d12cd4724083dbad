import { defineConfig } from 'vitest/config';

/** Unit tests that put a browser's globals in place, which others would see. */
const WITH_GLOBALS = ['test/unit/confirm-unload.test.ts', 'test/unit/indexeddb-storage.test.ts', 'test/unit/react-*.test.tsx'];

export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // One more than two cores: many tests wait for a process, a timer or a disk.
    maxWorkers: 3,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.{ts,tsx}'],
          exclude: WITH_GLOBALS,
          // No sockets, no processes: they share what they import, which is half of their time.
          pool: 'threads',
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'node',
          include: ['test/{conformance,crash,integration,property}/**/*.test.{ts,tsx}', ...WITH_GLOBALS],
          // Workers, crash and CLI tests run the build: Node 20 starts no TypeScript worker.
          globalSetup: ['test/global-setup.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          testTimeout: 60_000,
          // Behind the others: a browser beside them would make both wait.
          sequence: { groupOrder: 1 },
          globalSetup: ['test/global-setup.ts', 'test/browser/demo-setup.ts'],
        },
      },
    ],
  },
});
