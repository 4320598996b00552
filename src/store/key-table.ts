import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

import type { DatabaseSyncInstance } from '@photostructure/sqlite';

import { HoopError } from '../core/errors.js';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const MASTER_KEY_BYTES = 32;

/**
 * Small secrets, each sealed with AES-256-GCM under the master key: nonce, tag, ciphertext. The
 * name is authenticated with it, so that two entries can't change places.
 */
export class KeyTable {
  readonly #database: DatabaseSyncInstance;
  readonly #masterKey: Uint8Array | undefined;

  /** @throws HoopError `config_invalid` when the master key is not 32 bytes */
  constructor(database: DatabaseSyncInstance, masterKey: Uint8Array | undefined) {
    if (masterKey !== undefined && masterKey.length !== MASTER_KEY_BYTES) {
      throw new HoopError('config_invalid', `master key has ${masterKey.length} bytes, ${MASTER_KEY_BYTES} expected`);
    }
    this.#database = database;
    this.#masterKey = masterKey;
  }

  /** Keeps bytes under a name; replaces what was there. On disk when this returns. */
  put(name: string, bytes: Uint8Array): void {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key(), nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(name));
    const body = Buffer.concat([cipher.update(bytes), cipher.final()]);
    this.#database
      .prepare(
        'INSERT INTO keys (name, sealed) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed',
      )
      .run(name, Buffer.concat([nonce, cipher.getAuthTag(), body]));
  }

  /** @throws HoopError `config_invalid` when the entry does not open with this master key */
  get(name: string): Uint8Array | undefined {
    const row = this.#database.prepare('SELECT sealed FROM keys WHERE name = ?').get(name) as
      { readonly sealed: Uint8Array } | undefined;
    if (row === undefined) return undefined;
    const { sealed } = row;
    try {
      const nonce = sealed.subarray(0, NONCE_BYTES);
      const cipher = createDecipheriv('aes-256-gcm', this.#key(), nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(Buffer.from(name));
      cipher.setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
      return new Uint8Array(Buffer.concat([cipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)), cipher.final()]));
    } catch (cause) {
      if (cause instanceof HoopError) throw cause;
      throw new HoopError('config_invalid', 'a key in the store does not open with this master key', {
        suggestion: 'use the master key that the store was made with',
      });
    }
  }

  #key(): Uint8Array {
    if (this.#masterKey === undefined)
      throw new HoopError('config_invalid', 'the store was opened without a master key');
    return this.#masterKey;
  }
}
