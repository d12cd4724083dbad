import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Left to itself vitest keeps one core free, which on two cores is half of them.
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: ['test/browser/**'],
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
