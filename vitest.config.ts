import { existsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { LONGEST, LongestFirst } from './test/support/longest-first.js';

const TESTS = ['test/**/*.test.{ts,tsx}'];

/** Files with a process of their own. The others of a worker share one, and with it what is imported, and PostgreSQL. */
const ALONE = [
  // Replaces a module of Node.
  'test/agent/resources/live-resources.test.ts',
  // Measures the memory of its process.
  'test/agent/fronts/http/exchange.test.ts',
  'test/agent/fronts/http/upgrade-flow.test.ts',
  'test/core/bytes.test.ts',
  'test/end-to-end/psql.test.ts',
  'test/protocols/postgres/statements/bound-values.test.ts',
];

const missing = [...ALONE, ...LONGEST].filter((path) => !existsSync(new URL(path, import.meta.url)));
if (missing.length > 0) throw new Error(`test files that are named and not there: ${missing.join(', ')}`);

const SETTINGS = {
  setupFiles: ['test/support/file-folder.ts'],
  // @oclif/test and the real binaries write to stdout themselves.
  disableConsoleIntercept: true,
  testTimeout: 60_000,
  hookTimeout: 240_000,
  // Vitest's own is one second: a machine that others use too fails by it, and nobody is wrong.
  expect: { poll: { timeout: 20_000 } },
};

export default defineConfig({
  test: {
    globalSetup: ['test/support/run-folder.ts'],
    // Said here alone, so that --maxWorkers=1 counts.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      { test: { ...SETTINGS, name: 'alone', include: ALONE } },
      { test: { ...SETTINGS, name: 'together', include: TESTS, exclude: ALONE, isolate: false } },
    ],
  },
});
