import { describe, expect, it } from 'vitest';
import { summarise, type SummaryInput } from '../../scripts/test-summary.mjs';

const report = (...statuses: string[]): NonNullable<SummaryInput['tests']> => ({
  testResults: [
    {
      name: 'test/a.test.ts',
      status: statuses.includes('failed') ? 'failed' : 'passed',
      assertionResults: statuses.map((status, index) => ({ fullName: `case ${String(index)}`, status })),
    },
  ],
});
const good: SummaryInput = {
  checks: [{ name: 'types', passed: true }],
  tests: report('passed', 'passed'),
  checksStatus: 0,
  testsStatus: 0,
  isCi: false,
};
const last = (input: SummaryInput): string | undefined => summarise(input).lines.at(-1);

describe('the last line of scripts/test', () => {
  it('adds 1 check and 2 tests to 3 passed', () => {
    expect(last(good)).toBe('3 passed, 0 failed, 0 skipped');
    expect(summarise(good).exitStatus).toBe(0);
  });

  it('counts a failed test and a failed check, and names them', () => {
    const input = {
      ...good,
      checks: [{ name: 'types', passed: false }],
      tests: report('failed', 'passed'),
      checksStatus: 1,
      testsStatus: 1,
    };
    expect(summarise(input).lines).toEqual([
      'failed: check types',
      'failed: test/a.test.ts case 0',
      '1 passed, 2 failed, 0 skipped',
    ]);
    expect(summarise(input).exitStatus).toBe(1);
  });

  it.each(['pending', 'skipped', 'todo', 'disabled'])('counts %s as skipped, which fails under CI alone', (status) => {
    const input = { ...good, tests: report('passed', status) };
    expect(last(input)).toBe('2 passed, 0 failed, 1 skipped');
    expect(summarise(input).exitStatus).toBe(0);
    expect(last({ ...input, isCi: true })).toBe('2 passed, 0 failed, 1 skipped');
    expect(summarise({ ...input, isCi: true }).exitStatus).toBe(1);
  });

  it('counts a test file that does not load as 1 failed', () => {
    const tests = {
      testResults: [{ name: 'test/b.test.ts', status: 'failed', message: 'no such module', assertionResults: [] }],
    };
    expect(last({ ...good, tests, testsStatus: 1 })).toBe('1 passed, 1 failed, 0 skipped');
  });

  it('counts an exit status without a failed test as 1 failed', () => {
    expect(last({ ...good, testsStatus: 1 })).toBe('3 passed, 1 failed, 0 skipped');
  });

  it('counts missing and empty reports as failed, whatever the exit status', () => {
    expect(last({ ...good, checks: undefined, tests: { testResults: [] } })).toBe('0 passed, 2 failed, 0 skipped');
    expect(summarise({ ...good, tests: undefined }).exitStatus).toBe(1);
  });
});
