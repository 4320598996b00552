import { createHash } from 'node:crypto';
import type { Identity } from '../../core/identity.js';

/** Hex SHA-256 over everything that an approval is for: who, where, as whom, and exactly what. */
export function bindHash(
  what: Uint8Array,
  connection: string,
  credential: string,
  requester: Pick<Identity, 'subject' | 'issuer'>,
  database: string,
): string {
  // A list in JSON can't be cut in two ways, however names are chosen.
  const where = JSON.stringify([requester.issuer, requester.subject, connection, credential, database]);
  return createHash('sha256').update(where).update('\n').update(what).digest('hex');
}
