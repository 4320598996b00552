import type { PostgresConnection } from '../../../core/resources.js';
import { cancelPacket } from '../../../protocols/postgres/messages.js';
import type { CancelKey } from '../../../protocols/postgres/startup.js';
import { dialUpstream } from './dial-upstream.js';

/**
 * Asks the server to end what runs in a connection of ours. A cancel travels over a connection of its own, as the
 * protocol has it.
 *
 * @param key asked for once that one is open: undefined where what ran has ended meanwhile, since the cancel would hit
 *   what comes next
 * @throws HoopError upstream_unreachable
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS
 */
export async function cancelStatement(connection: PostgresConnection, key: () => CancelKey | undefined): Promise<void> {
  const socket = await dialUpstream(connection);
  socket.on('error', () => undefined);
  const now = key();
  if (now === undefined) socket.destroy();
  else socket.end(cancelPacket(now.pid, now.secret));
  socket.resume();
}
