import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadPolicies } from '../../../src/cli/policy/load-policies.js';
import { runTests } from '../../../src/cli/policy/run-tests.js';
import type { TestRun } from '../../../src/cli/policy/test-result.js';

const FOLDER = fileURLToPath(new URL('../../../examples/policies', import.meta.url));
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml') && !name.endsWith('.test.yaml'));

/** What a policy's own tests can't show: a table's size, which a file of tests shows. */
const UNREACHED: Readonly<Record<string, readonly string[]>> = {
  'where-required.yaml': ['where-required/whole-table'],
};

async function run(path: string): Promise<TestRun> {
  const { resources, tests } = await loadPolicies(path, {});
  return runTests(resources, tests);
}

const failures = ({ results }: TestRun): unknown => results.filter(({ problems }) => problems.length > 0);

describe('examples/policies', () => {
  it('holds the sets to start from', () => {
    expect(FILES.length).toBeGreaterThanOrEqual(13);
  });

  it.each(FILES)(
    '%s stands alone, for every connection, and its tests hold and reach every rule and mask',
    async (name) => {
      const path = `${FOLDER}/${name}`;
      const { resources } = await loadPolicies(path, {});
      expect(resources.policies.map(({ match }) => match)).toEqual([{}]);
      const done = await run(path);
      expect(failures(done)).toEqual([]);
      expect(done.results.length).toBeGreaterThanOrEqual(name === 'model-limits.yaml' ? 0 : 7);
      expect(done.unreached.map((part) => part.name)).toEqual(UNREACHED[name] ?? []);
    },
  );

  it('loads as one folder, and all tests hold, those with a database of their own too', async () => {
    const done = await run(FOLDER);
    expect(failures(done)).toEqual([]);
    expect(done.unreached.map(({ name }) => name)).toEqual([]);
  });
});
