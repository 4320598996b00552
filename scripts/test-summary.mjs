// Adds up what scripts/test ran: `N passed, N failed, N skipped`, with failures and skips by name above.
//
//   node scripts/test-summary.mjs RESULTS_FOLDER CHECKS_EXIT_STATUS TESTS_EXIT_STATUS
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Outcomes of `npm run check`. */
function ofChecks(outcomes) {
  return outcomes.map(({ name, passed }) => ({ name: `check ${name}`, state: passed ? 'passed' : 'failed' }));
}

/** Outcomes of vitest's JSON report; a file that could not be loaded or set up is a failure without a test. */
function ofTests(report) {
  return report.testResults.flatMap((file) => {
    const path = relative(process.cwd(), file.name);
    const tests = file.assertionResults.map(({ fullName, status }) => ({
      name: `${path} ${fullName}`,
      state: status === 'passed' || status === 'failed' ? status : 'skipped',
    }));
    const isBroken = file.status === 'failed' && !tests.some((test) => test.state === 'failed');
    return isBroken ? [...tests, { name: `${path} ${file.message ?? ''}`.trim(), state: 'failed' }] : tests;
  });
}

function readOrUndefined(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * @param part `{ name, report, status }`: what ran, its outcomes (undefined where it wrote none), its exit status
 * A part that failed without saying where, or said nothing at all, counts as one failure: silence never passes.
 */
function outcomesOf({ name, outcomes, status }) {
  if (outcomes === undefined || outcomes.length === 0)
    return [{ name: `${name} gave no result (exit status ${status})`, state: 'failed' }];
  if (status === 0 || outcomes.some((outcome) => outcome.state === 'failed')) return outcomes;
  return [...outcomes, { name: `${name} ended with exit status ${status}`, state: 'failed' }];
}

/** @returns lines to print, the counts last, and the exit status */
export function summarise({ checks, tests, checksStatus, testsStatus, isCi }) {
  const outcomes = [
    ...outcomesOf({ name: 'checks', outcomes: checks && ofChecks(checks), status: checksStatus }),
    ...outcomesOf({ name: 'tests', outcomes: tests && ofTests(tests), status: testsStatus }),
  ];
  const named = (state) => outcomes.filter((outcome) => outcome.state === state).map((outcome) => outcome.name);
  const [passed, failed, skipped] = ['passed', 'failed', 'skipped'].map(named);
  const lines = [...failed.map((name) => `failed: ${name}`), ...skipped.map((name) => `skipped: ${name}`)];
  if (isCi && skipped.length > 0) lines.push('under CI a skipped test is a failure');
  lines.push(`${passed.length} passed, ${failed.length} failed, ${skipped.length} skipped`);
  return { lines, exitStatus: failed.length > 0 || (isCi && skipped.length > 0) ? 1 : 0 };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [folder, checksStatus, testsStatus] = process.argv.slice(2);
  const { lines, exitStatus } = summarise({
    checks: readOrUndefined(`${folder}/checks.json`),
    tests: readOrUndefined(`${folder}/tests.json`),
    checksStatus: Number(checksStatus),
    testsStatus: Number(testsStatus),
    isCi: process.env.CI === 'true',
  });
  for (const line of lines) console.log(line);
  process.exitCode = exitStatus;
}
