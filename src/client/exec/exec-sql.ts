import type { Writable } from 'node:stream';
import { HoopError } from '../../core/errors.js';

import { type Access, dial, findTargets } from '../open-connections.js';
import { CsvWriter } from './csv-writer.js';
import { JsonWriter, NdjsonWriter } from './json-writer.js';
import { PacedOutput } from './paced-output.js';
import type { Print, ResultWriter } from './result-writer.js';
import { runScript } from './run-script.js';
import { scriptStatements } from './script-statements.js';
import { readScript, type ScriptSource } from './script-source.js';
import { TableWriter } from './table-writer.js';

export const FORMATS = ['table', 'json', 'csv', 'ndjson'] as const;
export type Format = (typeof FORMATS)[number];

/** `--json` means the same as `-o json`. @throws HoopError usage when both are given and differ */
export function formatFrom(json: boolean, output: Format | undefined): Format {
  if (json && output !== undefined && output !== 'json')
    throw new HoopError('usage', `--json and -o ${output} exclude each other`);
  return json ? 'json' : (output ?? 'table');
}

export interface ExecOptions {
  readonly access: Access;
  readonly connection: string;
  readonly source: ScriptSource;
  readonly format: Format;
  readonly singleTransaction: boolean;
  /** `10m`; undefined: as long as the approval flow allows. */
  readonly wait?: string | undefined;
  readonly stdout: Writable;
  /** Takes a line for people. */
  readonly say: (line: string) => void;
}

/**
 * Runs SQL on a connection through a tunnel of its own, without a local port, and prints the answers.
 *
 * @throws HoopError usage, no_access, unreachable, sql, blocked, approval_denied, approval_timeout
 */
export async function execSql(options: ExecOptions): Promise<void> {
  const waitMs = options.wait === undefined ? undefined : await parseWait(options.wait);
  const script = await readScript(options.source);
  const statements = await scriptStatements(script);
  if (statements.length === 0) throw new HoopError('usage', 'nothing to run', { why: 'the text holds no statement' });
  const [target] = await findTargets(options.access, [options.connection]);
  if (target?.type !== 'postgres')
    throw new HoopError('not_in_version', 'running text on a connection of this type is not in this version');
  const tunnel = await dial(options.access, options.connection);
  const output = new PacedOutput(options.stdout);
  const writer = writerFor(options.format, (part) => {
    output.print(part);
  });
  try {
    await runScript({
      tunnel,
      script,
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

async function parseWait(text: string): Promise<number> {
  // Loaded here: the schema library costs more than most runs need.
  const { durationSchema } = await import('../../config/values.js');
  const parsed = durationSchema.safeParse(text);
  if (!parsed.success) throw new HoopError('usage', '--wait takes a duration such as 30s, 10m or 2h');
  // A timer holds 2^31-1 ms; longer than that is no bound that anyone waits for.
  return Math.min(parsed.data, 2 ** 31 - 1);
}
