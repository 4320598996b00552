import { toConfiguredId } from '@oclif/core';
import type { Hook } from '@oclif/core';
import { EXIT, HoopError } from '../core/errors.js';
import { createColours } from './colours.js';
import { errorLines, errorReport } from './error-report.js';

/** A word that is no command fails like any other wrong use: three lines or one JSON object, exit status 2, no question. */
const hook: Hook<'command_not_found'> = async function ({ id, argv = [], config }) {
  const words = [...toConfiguredId(id, config).split(' '), ...argv];
  const error = new HoopError('usage', 'there is no such command', {
    why: `hoop does not know ${words[0] ?? ''}`,
    suggestion: '`hoop --help` lists the commands',
  });
  if (words.includes('--json')) process.stdout.write(`${JSON.stringify(errorReport(error))}\n`);
  else {
    const colours = createColours({ stream: 'stderr', noColor: words.includes('--no-color'), env: process.env });
    process.stderr.write(`${errorLines(error, colours)}\n`);
  }
  this.exit(EXIT.usage);
};

export default hook;
