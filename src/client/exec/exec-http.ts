import { HoopError } from '../../core/errors.js';
import type { HttpType } from '../../core/resources.js';
import { plainReport } from '../connect/connect-report.js';
import { dial } from '../connect/open-connections.js';
import { portKeyFor } from '../ports/port-key.js';
import type { ExecRun } from './exec-run.js';
import { parseHttpInput } from './http-input.js';
import { runHttp } from './run-http.js';
import { readWhole } from './script-source.js';

/**
 * Sends one request and prints the answer: the text of a model's, the body of any other.
 *
 * @throws HoopError usage, unreachable, http, and what `runHttp` throws
 */
export async function execHttp({ options, parts, target, waitMs, output }: ExecRun, type: HttpType): Promise<void> {
  const { access, format, say, stdout } = options;
  if (options.singleTransaction)
    throw new HoopError('usage', '--single-transaction is for databases', {
      why: `${target.connection} is of type ${type}`,
    });
  if (format === 'csv')
    throw new HoopError('usage', '-o csv is for databases', { suggestion: 'use -o json, or leave it out' });
  const text = await readWhole(parts);
  if (text.trim() === '') throw new HoopError('usage', 'nothing to run', { why: 'the text is empty' });
  const input = parseHttpInput(text, type);
  const portKey = portKeyFor(type);
  const tunnel = await dial(access, target.connection, portKey);
  const report = plainReport(say);
  try {
    await runHttp({
      tunnel,
      type,
      input,
      portKey,
      format: format === 'table' ? undefined : format,
      ...(waitMs === undefined ? {} : { waitMs }),
      output,
      terminal: stdout.isTTY === true,
      say,
      // What a refusal says comes with the answer.
      onEvent: ({ event, ...fields }) => {
        if (event === 'approval.waiting' || event === 'approval.resolved')
          report.event({ ...fields, event, connection: target.connection });
      },
    });
  } finally {
    tunnel.close();
  }
}
