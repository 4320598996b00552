import type { Clock } from '../core/clock.js';
import { HoopError } from '../core/errors.js';
import type { SecretRow } from '../core/secret-row.js';
import type { SecretProvider } from './provider.js';

/** What the agent's database keeps of secrets, sealed. */
export interface SecretRows {
  put(name: string, value: Uint8Array, change: { readonly at: string; readonly by: string }): number;
  get(name: string): Uint8Array | undefined;
  revoke(name: string, change: { readonly at: string; readonly by: string }): boolean;
  remove(name: string): void;
  info(name: string): SecretRow | undefined;
  list(): readonly SecretRow[];
  used(name: string, at: string): void;
}

/** Longest value, in bytes: a private key fits. */
export const MAX_VALUE_BYTES = 32 * 1024;

const NAME = /^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/;
/** No secret's own name holds one: a value that is to become a secret's next waits under it. */
const NEXT = '#next';

/** The agent's secret store: `{ secret: NAME }`. */
export class StoredSecrets implements SecretProvider {
  readonly kind = 'secret';

  constructor(
    private readonly rows: SecretRows,
    private readonly clock: Pick<Clock, 'timestamp'>,
  ) {}

  describe(name: string): string {
    return `secret ${name} of the agent’s store`;
  }

  /** Gives the value for a use, and counts that. */
  read(name: string): string {
    const value = this.peek(name);
    this.rows.used(name, this.clock.timestamp());
    return value;
  }

  /**
   * The value, without counting a use.
   *
   * @throws HoopError `config_invalid` where there is none
   */
  peek(name: string): string {
    const value = this.rows.get(name);
    if (value !== undefined) return textOf(value);
    throw this.#without(name);
  }

  /**
   * @param by subject of whoever sets it
   * @throws HoopError `usage` for a name or value that can't be one
   */
  set(name: string, value: string, by: string): SecretRow {
    checkName(name);
    if (value === '') throw new HoopError('usage', 'the value is empty');
    if (value.includes('\0')) throw new HoopError('usage', 'the value holds a NUL');
    const bytes = new TextEncoder().encode(value);
    if (bytes.length > MAX_VALUE_BYTES)
      throw new HoopError('limit', `the value is longer than ${MAX_VALUE_BYTES} bytes`);
    this.rows.put(name, bytes, { at: this.clock.timestamp(), by });
    return this.#known(name);
  }

  /** @throws HoopError `not_found` */
  revoke(name: string, by: string): SecretRow {
    if (!isName(name) || !this.rows.revoke(name, { at: this.clock.timestamp(), by })) throw noSuchSecret();
    this.rows.remove(name + NEXT);
    return this.#known(name);
  }

  info(name: string): SecretRow | undefined {
    return this.rows.info(name);
  }

  list(): readonly SecretRow[] {
    return this.rows.list().filter(({ name }) => isName(name));
  }

  /** Keeps a value on disk that will be the secret's, before anybody else learns of it. */
  prepare(name: string, value: string): void {
    this.rows.put(name + NEXT, new TextEncoder().encode(value), { at: this.clock.timestamp(), by: 'rotation' });
  }

  /** What was prepared and neither taken nor dropped: an agent ended in between. */
  prepared(name: string): string | undefined {
    const value = this.rows.get(name + NEXT);
    return value && textOf(value);
  }

  /**
   * Makes a value that the server was found to take the secret's, and drops what was prepared.
   *
   * @throws HoopError `config_invalid` for one that was revoked meanwhile: only `set` gives it a value again
   */
  take(name: string, value: string, by: string): SecretRow {
    if (this.rows.info(name)?.revoked !== false) throw this.#without(name);
    const row = this.set(name, value, by);
    this.drop(name);
    return row;
  }

  drop(name: string): void {
    this.rows.remove(name + NEXT);
  }

  /** Names of secrets with a value prepared. */
  unsettled(): readonly string[] {
    return this.rows.list().flatMap(({ name }) => (name.endsWith(NEXT) ? [name.slice(0, -NEXT.length)] : []));
  }

  #without(name: string): HoopError {
    const revoked = this.rows.info(name)?.revoked === true;
    return new HoopError('config_invalid', revoked ? 'a secret was revoked' : 'a secret is not in the store', {
      why: this.describe(name),
      suggestion: `an administrator of the agent can run \`hoop secrets set ${name}\``,
    });
  }

  #known(name: string): SecretRow {
    const row = this.rows.info(name);
    if (row === undefined) throw noSuchSecret();
    return row;
  }
}

/** The same answer for a name that is none. */
export function noSuchSecret(): HoopError {
  return new HoopError('not_found', 'no such secret', { suggestion: '`hoop secrets list` shows those there are' });
}

function isName(name: string): boolean {
  return NAME.test(name);
}

function checkName(name: string): void {
  if (isName(name)) return;
  throw new HoopError('usage', 'the name of the secret is no name', {
    suggestion: 'use up to 63 small letters, digits, dots, hyphens and underscores, a letter or digit first and last',
  });
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
