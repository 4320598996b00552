import { Errors } from '@oclif/core';
import { describe, expect, it } from 'vitest';
import { createColours } from '../../src/cli/colours.js';
import { errorLines, errorReport, toHoopError } from '../../src/cli/error-report.js';
import { ERRORS, HoopError } from '../../src/core/errors.js';
import type { ErrorCode } from '../../src/core/errors.js';

const plain = createColours({ stream: 'stderr', noColor: true, env: {} });

describe('a failure', () => {
  it.each(Object.keys(ERRORS) as ErrorCode[])('%s is told in three lines: what, why, what to do', (code) => {
    const lines = errorLines(new HoopError(code, 'what'), plain).split('\n');
    expect(lines).toEqual(['error: what', expect.stringMatching(/^why: {3}\S/), `do:    ${ERRORS[code].suggestion}`]);
  });

  it('stays three lines when its texts hold line breaks and escape sequences', () => {
    const error = new HoopError('sql', 'a\nerror: forged', { why: 'b\r\nc\u001b[2J', suggestion: 'd\ne' });
    expect(errorLines(error, plain).split('\n')).toEqual([
      'error: a\\nerror: forged',
      'why:   b\\r\\nc\\x1b[2J',
      'do:    d\\ne',
    ]);
  });

  it('is one object with code, message and suggestion for programs', () => {
    expect(errorReport(new HoopError('no_access', 'no', { why: 'because' }))).toEqual({
      error: { code: 'no_access', message: 'no: because', suggestion: ERRORS.no_access.suggestion },
    });
  });

  it('of the command line’s parser is usage, exit status 2', () => {
    const error = toHoopError(new Errors.CLIError('Nonexistent flag: --x\nSee more help with --help'));
    expect([error.code, error.exitStatus, error.message]).toEqual(['usage', 2, 'nonexistent flag: --x']);
  });

  it.each([
    [
      'The following errors occurred:\n  --a=true cannot also be provided when using --b\n--b=true …',
      'the flags do not go together',
      '--a cannot also be provided when using --b',
    ],
    [
      'The following error occurred:\n  All of the following must be provided when using --no-wait: --duration\nSee more help with --help',
      'a flag is missing',
      'all of the following must be provided when using --no-wait: --duration',
    ],
    [
      'The following error occurred:\n  Missing required flag config\nSee more help with --help',
      '--config is missing',
      'the command does nothing without it',
    ],
    [
      'Parsing --limit \n\tExpected an integer greater than or equal to 1 but received: 0',
      '--limit does not take this',
      'expected an integer greater than or equal to 1 but received: 0',
    ],
  ])('of the parser says first what is wrong: %j', (told, message, why) => {
    expect(toHoopError(new Errors.CLIError(told))).toMatchObject({ code: 'usage', message, why });
  });

  it('whose message is a sentence has one colon before its reason', () => {
    const report = errorReport(new HoopError('blocked', 'blocked by policy a/b: Not here.', { why: 'SQLSTATE 42501' }));
    expect(report.error.message).toBe('blocked by policy a/b: Not here: SQLSTATE 42501');
  });

  it('that nobody foresaw is failed, exit status 1, and its stack is not told', () => {
    const error = toHoopError(new TypeError('x is not a function'));
    expect([error.code, error.exitStatus]).toEqual(['failed', 1]);
    expect(errorLines(error, plain)).not.toMatch(/\.[jt]s:\d/);
  });
});
