import type { PostgresConnection } from '../../../core/resources.js';
import { cancelPacket } from '../../../protocols/postgres/wire/messages.js';
import type { CancelKey } from '../../../protocols/postgres/opening/startup.js';
import { dialUpstream } from './dial-upstream.js';

/** A server that does not close the connection of a cancel in this time is not waited for. */
const ANSWER_MS = 10_000;

/**
 * Asks the server to stop what a session runs; a cancel travels over a connection of its own, as the protocol has it.
 *
 * Resolves when the server has closed that connection: the signal has been sent by then, so that a client which waits for
 * the same, as libpq does, never has its next statement cancelled by a request that was late.
 *
 * @param busy does what is to be cancelled still run? Asked when the packet is about to be sent
 * @throws HoopError `upstream_unreachable`
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS
 */
export async function cancelUpstream(
  connection: PostgresConnection,
  { pid, secret }: CancelKey,
  busy: () => boolean,
): Promise<void> {
  const socket = await dialUpstream(connection);
  await new Promise<void>((resolve) => {
    socket.on('error', () => undefined);
    socket.once('close', () => {
      resolve();
    });
    socket.setTimeout(ANSWER_MS, () => socket.destroy());
    // Between asking and sending, what ran may have ended: then this would hit the next statement.
    if (busy()) socket.end(cancelPacket(pid, secret));
    else socket.destroy();
    socket.resume();
  });
}
