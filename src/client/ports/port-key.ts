import { createHash, randomBytes } from 'node:crypto';

/** The key that programs show at one local port; it is worth nothing anywhere else. */
export interface PortKey {
  /** `sk-hoop-` and 43 characters of base64url: the form that SDKs and secret scanners take for a key. */
  readonly key: string;
  /** Hex SHA-256 of the whole key: all that the agent is told of it. */
  readonly hash: string;
}

/** Types whose clients always send an API key; it must be this one, so that a key of another account never gets in. */
const KEYED_TYPES: ReadonlySet<string> = new Set(['openai', 'anthropic']);

/**
 * A fresh key for a port of this type; undefined for types without one.
 *
 * @param asked the port shall want one also where its clients need not send any: plain HTTP
 */
export function portKeyFor(type: string, asked = false): PortKey | undefined {
  if (!KEYED_TYPES.has(type) && !(asked && type === 'http')) return undefined;
  const key = `sk-hoop-${randomBytes(32).toString('base64url')}`;
  return { key, hash: createHash('sha256').update(key).digest('hex') };
}
