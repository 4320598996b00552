import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { HoopError } from '../core/errors.js';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** AES-256. */
export const KEY_BYTES = 32;

/** AES-256-GCM under a key: nonce, tag, ciphertext. `purpose` is authenticated with it, so that entries can't change places. */
export function seal(key: Uint8Array, purpose: string, bytes: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(purpose));
  const body = Buffer.concat([cipher.update(bytes), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]);
}

/** @throws HoopError `config_invalid` where it was sealed under another key, for another purpose, or changed since */
export function unseal(key: Uint8Array, purpose: string, sealed: Uint8Array): Uint8Array {
  try {
    const nonce = sealed.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(purpose));
    decipher.setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    return new Uint8Array(Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]));
  } catch {
    throw new HoopError('config_invalid', 'a key in the store does not open with this master key', {
      suggestion: 'use the master key that the store was made with',
    });
  }
}
