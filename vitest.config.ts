import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // What is built runs as it does for a user: loaded by Node and not by Vite.
    server: { deps: { external: [/\/dist\//] } },
    globalSetup: 'test/support/global-setup.ts',
    // Real servers and browsers: what hangs must fail, but a loaded machine with two cores must not.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Tests wait as long as they compute, so three files keep two cores busy. In CI two: there a test that a loaded machine
    // makes late costs more than minutes.
    maxWorkers: process.env.CI ? 2 : 3,
    pool: 'forks',
    // A worker loads the sources once and not for each file: a third of the time of a small file. So what a test changes
    // of its process (environment, listeners, timers) it changes back.
    isolate: false,
  },
});
