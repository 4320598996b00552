import { HoopError } from '../../core/errors.js';
import { BoundedHolds } from '../tunnels/bounded-holds.js';
import { runWith } from '../connect/connect.js';
import { plainReport } from '../connect/connect-report.js';
import { durationFlag } from '../duration-flag.js';
import type { ObtainOptions } from '../connect/obtain-access.js';
import { type Access, openConnections } from '../connect/open-connections.js';
import { awaitAccess } from './await-access.js';
import type { ConnectionEvent } from '../tunnels/tunnel-keeper.js';

/** Flags that say how SQL of ours is run: a command of the user's own takes none of them. */
const SQL_FLAGS = ['input', 'file', 'output', 'single-transaction', 'json'] as const;

/** @throws HoopError usage */
export function refuseSqlFlags(given: Readonly<Record<string, unknown>>): void {
  const wrong = SQL_FLAGS.find((name) => given[name] !== undefined && given[name] !== false);
  if (wrong !== undefined) throw new HoopError('usage', `--${wrong} and a command after \`--\` exclude each other`);
}

export interface ExecChildOptions {
  readonly access: Access;
  readonly connection: string;
  readonly command: readonly string[];
  readonly say: (line: string) => void;
  readonly api: ObtainOptions['api'];
  /** `10m`: longest wait for people, for access and for each of the command's statements. */
  readonly wait?: string | undefined;
}

/**
 * Runs a command with the environment of a fresh port, which is there for this run alone.
 *
 * @returns the command's exit status, 128+n after signal n
 */
export async function execChild(options: ExecChildOptions): Promise<number> {
  const { access, api, connection, command, say } = options;
  const waitMs = durationFlag('wait', options.wait);
  await awaitAccess({ api, connection, waitMs, reason: access.reason, say });
  const holds = waitMs === undefined ? undefined : new BoundedHolds(api, waitMs, say);
  const report = plainReport(say);
  const onEvent = (event: ConnectionEvent): void => {
    holds?.event(event);
    // Sessions that open and close are no news here; what keeps the command waiting or fails it is.
    if (!event.event.startsWith('session.')) report.event(event);
  };
  const listen = { kind: 'port', host: '127.0.0.1', port: 0 } as const;
  const open = await openConnections(access, [connection], listen, onEvent, 'both');
  try {
    return await runWith(command, access, open, say);
  } finally {
    holds?.close();
    await open.close();
  }
}
