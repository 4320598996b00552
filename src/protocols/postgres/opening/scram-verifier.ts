import type { AuthenticationCrypto } from './authentication.js';

/** What PostgreSQL itself takes (`scram_iterations`). */
const ITERATIONS = 4_096;
const SALT_BYTES = 16;

/**
 * What a server keeps of a password: proofs can be checked against it, the password can't be had from it. Sent instead
 * of the password, so that no log of the server ever holds that.
 *
 * @param password ASCII: SASLprep would change nothing in it
 * @see https://www.postgresql.org/docs/current/catalog-pg-authid.html
 * @see https://www.rfc-editor.org/rfc/rfc5802#section-3
 */
export function scramVerifier(password: string, crypto: AuthenticationCrypto): string {
  const encoder = new TextEncoder();
  const salt = crypto.random(SALT_BYTES);
  const salted = crypto.pbkdf2(password, salt, ITERATIONS);
  const storedKey = crypto.sha256(crypto.hmacSha256(salted, encoder.encode('Client Key')));
  const serverKey = crypto.hmacSha256(salted, encoder.encode('Server Key'));
  return `SCRAM-SHA-256$${String(ITERATIONS)}:${crypto.base64(salt)}$${crypto.base64(storedKey)}:${crypto.base64(serverKey)}`;
}
