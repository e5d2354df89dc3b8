import { defineConfig } from 'vitest/config';

/** Tests that start processes: they need the built package, and each other's absence on a small machine. */
const processTests = ['test/{process,adversarial,cli,package,demo}/**/*.test.ts'];

export default defineConfig({
  test: {
    // Processes, not threads: the leak guard can tell whose handles and children there are, file by file.
    pool: 'forks',
    maxWorkers: 2,
    setupFiles: ['test/helpers/vitest-setup.ts'],
    testTimeout: 5_000,
    hookTimeout: 10_000,
    restoreMocks: true,
    // Programs that tests start leave no caches in the temporary folder.
    env: { NODE_DISABLE_COMPILE_CACHE: '1', TSX_DISABLE_CACHE: '1' },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...processTests, 'test/fixtures/**', 'test/types/**'],
          // The modules of the project are loaded once per process, not once per file.
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'process',
          include: processTests,
          globalSetup: ['test/helpers/build-once.ts'],
          maxWorkers: 2,
          isolate: false,
          testTimeout: 20_000,
          hookTimeout: 30_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
