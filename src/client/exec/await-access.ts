import { HoopError } from '../../core/errors.js';
import type { AgentApi } from '../agent-api.js';
import { plainReport } from '../connect/connect-report.js';
import { obtainAccess } from '../connect/obtain-access.js';
import type { ConnectionEvent } from '../tunnels/tunnel-keeper.js';

export interface AwaitAccessOptions {
  readonly api: Pick<AgentApi, 'get' | 'post'>;
  readonly connection: string;
  /** Longest wait, in ms; undefined: nothing is asked for. */
  readonly waitMs: number | undefined;
  readonly reason: string | undefined;
  /** Takes a line for people. */
  readonly say: (line: string) => void;
}

/**
 * Asks for access where the connection needs it and nobody has given it, and waits for the decision.
 *
 * @throws HoopError approval_denied, approval_timeout, failed after an interruption
 */
export async function awaitAccess({ api, connection, waitMs, reason, say }: AwaitAccessOptions): Promise<void> {
  if (waitMs === undefined) return;
  const report = plainReport(say);
  const onEvent = (event: ConnectionEvent): void => {
    report.event(event);
  };
  const obtained = await obtainAccess({ api, connections: [connection], reason, waitMs, wait: true, onEvent });
  if (obtained.kind === 'interrupted') throw new HoopError('failed', 'interrupted; the request is withdrawn');
}
