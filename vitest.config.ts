import { defineConfig } from 'vitest/config';

/** Tests that put a browser's globals, or modules of their own, in place, which others would see. */
const WITH_GLOBALS = [
  'test/unit/chat-front.test.ts',
  'test/unit/client-document-front.test.ts',
  'test/unit/confirm-unload.test.ts',
  'test/unit/indexeddb-storage.test.ts',
  'test/unit/react-*.test.tsx',
  'test/property/admission-editors.test.ts',
  'test/integration/{document-code,editor-bindings,guides,offline-guide}.test.ts',
];

export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // One more than two cores: many tests wait for a process, a timer or a disk.
    maxWorkers: 3,
    // Tests share what they import, which is half of their time: isolation is for those that put up globals.
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.{ts,tsx}'],
          exclude: WITH_GLOBALS,
          pool: 'threads',
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'node',
          include: ['test/{conformance,crash,integration,property,simulation}/**/*.test.ts'],
          exclude: WITH_GLOBALS,
          isolate: false,
          // Workers, crash and CLI tests run the build: Node 20 starts no TypeScript worker.
          globalSetup: ['test/global-setup.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'page',
          include: WITH_GLOBALS,
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
