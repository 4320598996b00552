import type { Socket } from 'node:net';
import { HoopError } from '../../core/errors.js';
import { SocketReader } from './socket-reader.js';

const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;
export const CANCEL_REQUEST = 80_877_102;
const MAX_STARTUP_BYTES = 10_000;

/** A client's first packet, and what is read of the socket after it. */
export interface PostgresOpening {
  /** The start-up message or cancel request, whole. */
  readonly packet: Buffer;
  /** The protocol's version, or `CANCEL_REQUEST`. */
  readonly code: number;
  readonly reader: SocketReader;
}

/**
 * Reads what a Postgres client begins with; encryption is not spoken here any more, and refused twice at most.
 *
 * @param socket paused, nothing read of it; put the packet back for whoever reads it next
 * @throws ClientLeft, HoopError protocol
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL
 */
export async function readPostgresOpening(socket: Socket): Promise<PostgresOpening> {
  const reader = new SocketReader(socket);
  for (let refused = 0; refused <= 2; refused += 1) {
    const head = await reader.take(8);
    const length = head.readUInt32BE(0);
    const code = head.readUInt32BE(4);
    if (length < 8 || length > MAX_STARTUP_BYTES) break;
    const packet = Buffer.concat([head, await reader.take(length - 8)]);
    if (code !== SSL_REQUEST && code !== GSS_REQUEST) return { packet, code, reader };
    socket.write('N');
  }
  throw new HoopError('protocol', 'expected a start-up message');
}
