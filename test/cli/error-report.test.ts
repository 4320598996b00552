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
    expect([error.code, error.exitStatus, error.message]).toEqual(['usage', 2, 'Nonexistent flag: --x']);
  });

  it('that nobody foresaw is failed, exit status 1, and its stack is not told', () => {
    const error = toHoopError(new TypeError('x is not a function'));
    expect([error.code, error.exitStatus]).toEqual(['failed', 1]);
    expect(errorLines(error, plain)).not.toMatch(/\.[jt]s:\d/);
  });
});
