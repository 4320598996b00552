import { HoopError } from '../../core/errors.js';
import { HTTP_TYPES, type HttpType } from '../../core/resources.js';
import { findTargets, type Target } from '../open-connections.js';
import { execHttp } from './exec-http.js';
import type { ExecOptions, ExecRun } from './exec-run.js';
import { execSql } from './exec-sql.js';
import { PacedOutput } from './paced-output.js';
import { openSource } from './script-source.js';

/**
 * Runs a text on a connection through a tunnel of its own, without a local port, and prints the answers: SQL on a
 * database, a request on an HTTP connection.
 *
 * @throws HoopError usage, no_access, unreachable, sql, http, blocked, approval_denied, approval_timeout
 */
export async function execText(options: ExecOptions): Promise<void> {
  const waitMs = options.wait === undefined ? undefined : await parseWait(options.wait);
  const parts = await openSource(options.source);
  const target = (await findTargets(options.access, [options.connection]))[0] as Target;
  const run: ExecRun = { options, parts, target, waitMs, output: new PacedOutput(options.stdout) };
  if (target.type === 'postgres') return execSql(run);
  if (isHttpType(target.type)) return execHttp(run, target.type);
  throw new HoopError('not_in_version', 'running text on a connection of this type is not in this version');
}

function isHttpType(type: string): type is HttpType {
  return (HTTP_TYPES as readonly string[]).includes(type);
}

async function parseWait(text: string): Promise<number> {
  // Loaded here: the schema library costs more than most runs need.
  const { durationSchema } = await import('../../config/values.js');
  const parsed = durationSchema.safeParse(text);
  if (!parsed.success) throw new HoopError('usage', '--wait takes a duration such as 30s, 10m or 2h');
  // A timer holds 2^31-1 ms; longer than that is no bound that anyone waits for.
  return Math.min(parsed.data, 2 ** 31 - 1);
}
