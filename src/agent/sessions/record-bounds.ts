import { createHash } from 'node:crypto';
import { isHttpConnection, type ConnectionResource } from '../../core/resources.js';
import type { RecordBounds, RunningHash } from '../../core/output-digest.js';

/** More than these are no help to people, and hold up what is recorded beside them. */
const OF_RESULTS: RecordBounds = { rows: 50, bytes: 16 * 1024, hashBytes: 16 * 2 ** 20 };
const OF_BODIES: RecordBounds = { rows: 0, bytes: 64 * 1024, hashBytes: 16 * 2 ** 20 };

/** How much of each output of a connection is recorded. */
export function recordBounds(connection: ConnectionResource): RecordBounds {
  return { ...(isHttpConnection(connection) ? OF_BODIES : OF_RESULTS), ...connection.record };
}

export function sha256(): RunningHash {
  const hash = createHash('sha256');
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest('hex') };
}
