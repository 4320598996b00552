import { HoopError } from '../../core/errors.js';
import { dial } from '../connect/open-connections.js';
import { CsvWriter } from './csv-writer.js';
import type { ExecRun, Format } from './exec-run.js';
import { JsonWriter, NdjsonWriter } from './json-writer.js';
import type { Print, ResultWriter } from './result-writer.js';
import { runScript } from './run-script.js';
import { Script } from './script.js';
import { shownPrint } from './shown-print.js';
import { TableWriter } from './table-writer.js';

/**
 * Runs SQL, statement by statement, and prints what each answers.
 *
 * @throws HoopError usage, unreachable, sql, blocked, approval_denied, approval_timeout
 */
export async function execSql({ options, parts, target, waitMs, output }: ExecRun): Promise<void> {
  const script = new Script(parts);
  const first = await script.next();
  if (first === undefined) throw new HoopError('usage', 'nothing to run', { why: 'the text holds no statement' });
  const tunnel = await dial(options.access, target.connection);
  const print: Print = (part) => {
    output.print(part);
  };
  // JSON can say every character in itself, and is whole only as it stands.
  const quiet = options.stdout.isTTY === true && (options.format === 'csv' || options.format === 'table');
  const writer = writerFor(options.format, quiet ? shownPrint(print) : print);
  try {
    await runScript({
      tunnel,
      script,
      first,
      // As psql does: with -i the rows come from standard input, else they stand in the script.
      copyRows: options.source.text === undefined ? undefined : options.source.stdin,
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
    await script.close();
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
