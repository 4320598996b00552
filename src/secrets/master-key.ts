import { HoopError } from '../core/errors.js';
import type { SecretRef } from '../core/resources.js';
import type { SecretResolver } from './resolver.js';

/** AES-256 and HMAC-SHA-256 take a key of this length. */
const KEY_BYTES = 32;

/** 44 characters of standard base64: 43 and one `=` hold exactly 32 bytes. */
const BASE64_OF_32_BYTES = /^[A-Za-z0-9+/]{43}=$/;

/**
 * The agent's master key: 32 bytes, base64, one line.
 *
 * @throws HoopError `config_invalid` for anything else, and what the resolver throws
 */
export async function loadMasterKey(resolve: SecretResolver, ref: SecretRef): Promise<Uint8Array> {
  const text = (await resolve(ref)).reveal();
  if (!BASE64_OF_32_BYTES.test(text)) {
    throw new HoopError('config_invalid', `the master key must be ${KEY_BYTES} bytes as base64 on one line`, {
      suggestion: 'make one with `openssl rand -base64 32`, or run `hoop agent init`',
    });
  }
  return new Uint8Array(Buffer.from(text, 'base64'));
}
