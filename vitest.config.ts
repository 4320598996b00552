import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    // @oclif/test and the real binaries write to stdout themselves.
    disableConsoleIntercept: true,
    testTimeout: 60_000,
    hookTimeout: 240_000,
    // Vitest's own is one second: a machine that others use too fails by it, and nobody is wrong.
    expect: { poll: { timeout: 20_000 } },
    maxWorkers: 2,
  },
});
