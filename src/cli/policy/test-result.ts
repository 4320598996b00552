import { HoopError } from '../../core/errors.js';
import type { Place, TestablePart } from '../../config/test-cases.js';

/** What was expected and came otherwise. */
export interface TestProblem {
  readonly what: string;
  readonly expected: string;
  readonly actual: string;
}

/** What became of one test. */
export interface TestResult {
  readonly title: string;
  readonly place: Place;
  /** The policy, or the name of the resource that holds the tests. */
  readonly suite: string;
  /** Empty where the test holds. */
  readonly problems: readonly TestProblem[];
}

export interface TestRun {
  readonly results: readonly TestResult[];
  /** Rules and masks that no test reaches. */
  readonly unreached: readonly TestablePart[];
  /** All rules and masks. */
  readonly parts: number;
  readonly policyHash: string;
}

/** Is `RULE` or `POLICY/RULE`, as a test writes it, the rule or mask of that whole name? */
export function isNamed(written: string, name: string): boolean {
  return written.includes('/') ? written === name : name.slice(name.indexOf('/') + 1) === written;
}

export function failedTests({ results }: TestRun): readonly TestResult[] {
  return results.filter(({ problems }) => problems.length > 0);
}

/** Why the run as a whole does not hold; undefined where it does. */
export function failureOf(run: TestRun, coverageRequired: boolean): HoopError | undefined {
  const [first] = failedTests(run);
  if (first !== undefined) {
    const { what, expected, actual } = first.problems[0] as TestProblem;
    return new HoopError(
      'tests_failed',
      `${String(failedTests(run).length)} of ${String(run.results.length)} tests fail`,
      {
        why: `${first.suite}: ${first.title}: ${what}: expected ${expected}, found ${actual}`,
      },
    );
  }
  const [unreached] = run.unreached;
  if (!coverageRequired || unreached === undefined) return undefined;
  return new HoopError(
    'tests_failed',
    `no test reaches ${String(run.unreached.length)} of ${String(run.parts)} rules and masks`,
    {
      why: `${unreached.kind} ${unreached.name}`,
      suggestion: 'add a test that the rule or mask matches',
    },
  );
}
