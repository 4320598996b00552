import { HoopError } from '../../core/errors.js';
import { dial } from '../open-connections.js';
import { CsvWriter } from './csv-writer.js';
import type { ExecRun, Format } from './exec-run.js';
import { JsonWriter, NdjsonWriter } from './json-writer.js';
import type { Print, ResultWriter } from './result-writer.js';
import { runScript } from './run-script.js';
import { scriptStatements } from './script-statements.js';
import { TableWriter } from './table-writer.js';

/**
 * Runs SQL, statement by statement, and prints what each answers.
 *
 * @throws HoopError usage, unreachable, sql, blocked, approval_denied, approval_timeout
 */
export async function execSql({ options, text, target, waitMs, output }: ExecRun): Promise<void> {
  const statements = await scriptStatements(text);
  if (statements.length === 0) throw new HoopError('usage', 'nothing to run', { why: 'the text holds no statement' });
  const tunnel = await dial(options.access, target.connection);
  const writer = writerFor(options.format, (part) => {
    output.print(part);
  });
  try {
    await runScript({
      tunnel,
      script: text,
      statements,
      user: target.user,
      database: target.database,
      singleTransaction: options.singleTransaction,
      ...(waitMs === undefined ? {} : { waitMs }),
      writer,
      output,
      say: options.say,
    });
  } finally {
    tunnel.close();
  }
}

function writerFor(format: Format, print: Print): ResultWriter {
  switch (format) {
    case 'table':
      return new TableWriter(print);
    case 'csv':
      return new CsvWriter(print);
    case 'json':
      return new JsonWriter(print);
    case 'ndjson':
      return new NdjsonWriter(print);
  }
}
