import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    // Workers, crash and CLI tests run the build: Node 20 starts no TypeScript worker.
    globalSetup: ['test/global-setup.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Left to itself vitest keeps one core free, which on two cores is half of them.
    maxWorkers: 2,
  },
});
