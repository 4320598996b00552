import { relative } from 'node:path';
import type { Place } from '../../config/test-cases.js';
import { escapeControls } from '../../core/display.js';
import type { Colours } from '../colours.js';
import { failedTests, type TestResult, type TestRun } from './test-result.js';

export const TEST_FORMATS = ['text', 'tap', 'junit', 'json'] as const;
export type TestFormat = (typeof TEST_FORMATS)[number];

/** A run for people or for a machine; without a line's end. */
export function testReport(run: TestRun, format: TestFormat, colours: Colours): string {
  if (format === 'tap') return tap(run);
  if (format === 'junit') return junit(run);
  return format === 'json' ? JSON.stringify(jsonReport(run)) : text(run, colours);
}

/** One line on what was run, for people. */
export function testSummary(run: TestRun): string {
  const failed = failedTests(run).length;
  const reached = run.parts - run.unreached.length;
  const passed = run.results.length - failed;
  return `${String(passed)} passed, ${String(failed)} failed; rules and masks reached: ${String(reached)} of ${String(run.parts)}`;
}

function jsonReport(run: TestRun): unknown {
  const failed = failedTests(run).length;
  return {
    passed: run.results.length - failed,
    failed,
    policyHash: run.policyHash,
    tests: run.results.map(({ suite, title, place, problems }) => ({
      suite,
      title,
      ok: problems.length === 0,
      ...place,
      problems,
    })),
    coverage: { parts: run.parts, unreached: run.unreached.map(({ kind, name, place }) => ({ kind, name, ...place })) },
  };
}

function text(run: TestRun, colours: Colours): string {
  const suites = new Map<string, TestResult[]>();
  for (const result of run.results) {
    const held = suites.get(result.suite);
    if (held === undefined) suites.set(result.suite, [result]);
    else held.push(result);
  }
  const lines = [...suites].flatMap(([suite, results]) => {
    const failed = results.filter(({ problems }) => problems.length > 0);
    const mark = failed.length === 0 ? colours.green('ok    ') : colours.red('FAILED');
    const count = `${String(results.length)} test${results.length === 1 ? '' : 's'}`;
    const head = `${mark}  ${colours.bold(suite)}  ${failed.length === 0 ? count : `${String(failed.length)} of ${count}`}`;
    return [head, ...failed.flatMap((result) => failureLines(result, colours))];
  });
  const unreached = run.unreached.map(
    ({ kind, name, place }) => `  ${kind} ${colours.plain(name)}  ${colours.dim(spot(place))}`,
  );
  return [...lines, ...(unreached.length === 0 ? [] : [colours.yellow('no test reaches'), ...unreached])].join('\n');
}

function failureLines({ title, place, problems }: TestResult, colours: Colours): string[] {
  return [
    `  ${colours.red('✗')} ${colours.plain(title)}  ${colours.dim(spot(place))}`,
    ...problems.map(
      ({ what, expected, actual }) =>
        `      ${what}: expected ${colours.green(expected)}, found ${colours.red(actual)}`,
    ),
  ];
}

/** @see https://testanything.org/tap-version-14-specification.html */
function tap(run: TestRun): string {
  const lines = ['TAP version 14', `1..${String(run.results.length)}`];
  run.results.forEach(({ suite, title, place, problems }, index) => {
    const name = `${suite}: ${title}`.replace(/[\\#]/g, '\\$&');
    lines.push(`${problems.length === 0 ? 'ok' : 'not ok'} ${String(index + 1)} - ${escapeControls(name)}`);
    if (problems.length === 0) return;
    lines.push('  ---', `  at: ${JSON.stringify(spot(place))}`, '  problems:');
    for (const { what, expected, actual } of problems)
      lines.push(`    - ${JSON.stringify({ what, expected, actual })}`);
    lines.push('  ...');
  });
  for (const { kind, name, place } of run.unreached) lines.push(`# no test reaches ${kind} ${name} (${spot(place)})`);
  lines.push(`# ${testSummary(run)}`);
  return lines.join('\n');
}

/** As CI servers read it: one `testsuite` a policy or file, a `failure` with all that differed. */
function junit(run: TestRun): string {
  const suites = [...new Set(run.results.map(({ suite }) => suite))];
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>'];
  lines.push(`<testsuites name="hoop policy test"${counts(run.results)}>`);
  for (const suite of suites) {
    const results = run.results.filter((result) => result.suite === suite);
    lines.push(`  <testsuite name="${xml(suite)}"${counts(results)}>`);
    for (const { title, place, problems } of results) {
      const attributes = `name="${xml(title)}" classname="${xml(suite)}" file="${xml(shownFile(place))}" line="${String(place.line)}"`;
      if (problems.length === 0) lines.push(`    <testcase ${attributes}/>`);
      else
        lines.push(
          `    <testcase ${attributes}>`,
          `      <failure message="${xml(problemText(problems[0]))}">${xml(problems.map(problemText).join('\n'))}</failure>`,
          '    </testcase>',
        );
    }
    lines.push('  </testsuite>');
  }
  lines.push('</testsuites>');
  return lines.join('\n');
}

function counts(results: readonly TestResult[]): string {
  const failures = results.filter(({ problems }) => problems.length > 0).length;
  return ` tests="${String(results.length)}" failures="${String(failures)}"`;
}

function problemText(problem: TestResult['problems'][number] | undefined): string {
  return problem === undefined ? '' : `${problem.what}: expected ${problem.expected}, found ${problem.actual}`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Control characters are no XML at all. */
function xml(given: string): string {
  return escapeControls(given, { keepNewlines: true })
    .replace(/[&<>"]/g, (sign) => ENTITIES[sign] as string)
    .replaceAll('\n', '&#10;');
}

function shownFile({ file }: Place): string {
  const near = relative(process.cwd(), file);
  return near === '' || near.startsWith('..') ? file : near;
}

function spot(place: Place): string {
  return `${shownFile(place)}:${String(place.line)}`;
}
