import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { HoopError } from '../core/errors.js';

/** The agent's key that seals recordings: Ed25519 (RFC 8032). */
export interface RecordingKey {
  /** First 16 hex digits of the SHA-256 of the public key's SPKI DER. */
  readonly keyId: string;
  readonly privateKey: KeyObject;
}

/** What others need to check seals; the shape of `recordingKeys` in `/.well-known/hoop`. */
export interface RecordingPublicKey {
  readonly keyId: string;
  /** Base64 of the SPKI DER. */
  readonly publicKey: string;
}

export function generateRecordingKey(): RecordingKey {
  return recordingKey(generateKeyPairSync('ed25519').privateKey);
}

/** The private key as PKCS #8 DER, to be kept encrypted. */
export function exportRecordingKey(key: RecordingKey): Uint8Array {
  return key.privateKey.export({ format: 'der', type: 'pkcs8' });
}

/** @throws HoopError `config_invalid` when the bytes are no Ed25519 private key in PKCS #8 DER */
export function importRecordingKey(pkcs8: Uint8Array): RecordingKey {
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
  } catch {
    throw new HoopError('config_invalid', 'recording key is not readable, PKCS #8 DER expected');
  }
  if (privateKey.asymmetricKeyType !== 'ed25519') throw new HoopError('config_invalid', 'recording key is not Ed25519');
  return recordingKey(privateKey);
}

export function publicKeyOf(key: RecordingKey): RecordingPublicKey {
  return { keyId: key.keyId, publicKey: spki(createPublicKey(key.privateKey)).toString('base64') };
}

/** A public key as PEM, which OpenSSL and `hoop verify --key` read. */
export function pemOf({ publicKey }: RecordingPublicKey): string {
  const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' });
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

/**
 * Public keys from what people keep: PEM, base64 SPKI DER (one a line), one `RecordingPublicKey`,
 * a list of them, or the whole answer of `/.well-known/hoop` (JSON). The key id is always computed anew.
 *
 * @throws HoopError `usage` when the text holds none or one that is not Ed25519
 */
export function parsePublicKeys(text: string): readonly RecordingPublicKey[] {
  const trimmed = text.trim();
  const sources = /^[{[]/.test(trimmed) ? keysOfJson(trimmed) : keysOfText(trimmed);
  if (sources.length === 0) throw new HoopError('usage', 'no public key found, PEM, base64 SPKI or JSON expected');
  return sources.map((source) => {
    try {
      const key = source.startsWith('-----')
        ? createPublicKey(source)
        : createPublicKey({ key: Buffer.from(source, 'base64'), format: 'der', type: 'spki' });
      if (key.asymmetricKeyType !== 'ed25519') throw new TypeError('not Ed25519');
      const der = spki(key);
      return { keyId: keyIdOf(der), publicKey: der.toString('base64') };
    } catch {
      throw new HoopError('usage', 'public key is not readable, Ed25519 expected');
    }
  });
}

function keysOfText(text: string): string[] {
  const pem = text.match(/-----BEGIN PUBLIC KEY-----[^-]*-----END PUBLIC KEY-----/g);
  return pem ?? text.split(/\s+/).filter((line) => line !== '');
}

function keysOfJson(text: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [];
  }
  const holder = value as { recordingKeys?: unknown; publicKey?: unknown };
  const list = Array.isArray(value) ? value : Array.isArray(holder.recordingKeys) ? holder.recordingKeys : [holder];
  return list.flatMap((item: unknown) => {
    const key = (item as { publicKey?: unknown } | null)?.publicKey;
    return typeof key === 'string' ? [key] : [];
  });
}

/** Ed25519 signature, 64 bytes. */
export function signBytes(key: RecordingKey, bytes: Uint8Array): Uint8Array {
  return sign(null, bytes, key.privateKey);
}

/** Base64 Ed25519 signature over the UTF-8 bytes of `text`. */
export function signText(key: RecordingKey, text: string): string {
  return sign(null, Buffer.from(text), key.privateKey).toString('base64');
}

/** The same, made beside the program: thousands a second would take most of its time else. */
export function signTextBeside(key: RecordingKey, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    sign(null, Buffer.from(text), key.privateKey, (error, signature) => {
      if (error === null) resolve(signature.toString('base64'));
      else reject(error);
    });
  });
}

/** Checks seals and checkpoints against the keys that are trusted. */
export class SignatureChecker {
  readonly #keys: ReadonlyMap<string, KeyObject>;

  constructor(keys: readonly RecordingPublicKey[]) {
    this.#keys = new Map(
      keys.map(({ publicKey }) => {
        const der = Buffer.from(publicKey, 'base64');
        return [keyIdOf(der), createPublicKey({ key: der, format: 'der', type: 'spki' })];
      }),
    );
  }

  knows(keyId: string): boolean {
    return this.#keys.has(keyId);
  }

  /** Of bytes, by any key that is trusted. @returns the key's id */
  signerOf(text: Uint8Array, signature: Uint8Array): string | undefined {
    for (const [keyId, key] of this.#keys) if (verify(null, text, key, signature)) return keyId;
    return undefined;
  }

  /** Only the canonical base64 of a signature counts: a second spelling would be a change nobody sees. */
  holds(keyId: string, text: string, signature: string): boolean {
    const key = this.#keys.get(keyId);
    const bytes = Buffer.from(signature, 'base64');
    if (key === undefined || bytes.toString('base64') !== signature) return false;
    return verify(null, Buffer.from(text), key, bytes);
  }
}

function recordingKey(privateKey: KeyObject): RecordingKey {
  return { keyId: keyIdOf(spki(createPublicKey(privateKey))), privateKey };
}

function spki(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' });
}

function keyIdOf(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex').slice(0, 16);
}
