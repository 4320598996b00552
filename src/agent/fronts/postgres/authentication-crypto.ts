import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import type { AuthenticationCrypto } from '../../../protocols/postgres/opening/authentication.js';

/** A role's salt changes only with its password: the slow derivation is done once for each. */
const derived = new Map<string, Uint8Array>();
const MAX_DERIVED = 256;

/** Node's crypto in the shape that the pure Postgres room asks for. */
export const authenticationCrypto: AuthenticationCrypto = {
  md5Hex: (data) => createHash('md5').update(data).digest('hex'),
  sha256: (data) => createHash('sha256').update(data).digest(),
  hmacSha256: (key, data) => createHmac('sha256', key).update(data).digest(),
  pbkdf2: (password, salt, iterations) => {
    // Keyed by a digest, so that no password stays in memory as a key.
    const key = createHash('sha256')
      .update(`${String(iterations)}\0`)
      .update(salt)
      .update('\0')
      .update(password)
      .digest('base64');
    const known = derived.get(key);
    if (known !== undefined) return known;
    const value = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
    if (derived.size >= MAX_DERIVED) derived.clear();
    derived.set(key, value);
    return value;
  },
  random: (count) => randomBytes(count),
  base64: (data) => Buffer.from(data).toString('base64'),
  fromBase64: (text) => Buffer.from(text, 'base64'),
};
