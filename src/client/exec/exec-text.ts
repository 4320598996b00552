import { HoopError } from '../../core/errors.js';
import { HTTP_TYPES, type HttpType } from '../../core/resources.js';
import { durationFlag } from '../duration-flag.js';
import { findTargets, type Target } from '../connect/open-connections.js';
import { awaitAccess } from './await-access.js';
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
  const waitMs = durationFlag('wait', options.wait);
  const parts = await openSource(options.source);
  const { api, connection, access, say } = options;
  if (api !== undefined) await awaitAccess({ api, connection, waitMs, reason: access.reason, say });
  const target = (await findTargets(options.access, [options.connection]))[0] as Target;
  const run: ExecRun = { options, parts, target, waitMs, output: new PacedOutput(options.stdout) };
  if (target.type === 'postgres') return execSql(run);
  if (isHttpType(target.type)) return execHttp(run, target.type);
  throw new HoopError('not_in_version', 'running text on a connection of this type is not in this version');
}

function isHttpType(type: string): type is HttpType {
  return (HTTP_TYPES as readonly string[]).includes(type);
}
