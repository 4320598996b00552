import { HoopError } from '../core/errors.js';
import type { SecretRef } from '../core/resources.js';
import type { SecretFile } from './secret-file.js';
import { Secret } from './secret.js';

export interface SecretResolverOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => Promise<SecretFile>;
  /** Told, without any value, of what should be mended but still works. */
  readonly warn: (message: string) => void;
}

/** Gets a secret's value from where the reference says, at the moment of use. */
export type SecretResolver = (ref: SecretRef) => Promise<Secret>;

const WORLD_WRITABLE = 0o002;
const READABLE_BY_OTHERS = 0o044;

/**
 * Resolves `{ env }` and `{ file }`; one trailing line ending of a file is not part of the value.
 * The reference's `prefix` is put before it. Nothing is cached: a rotated secret is used at once.
 *
 * The resolver throws HoopError `config_invalid` where there is no value, it is empty, or anyone on
 * the machine may write the file; `not_in_version` for the secret store. No error holds a value.
 */
export function createSecretResolver(options: SecretResolverOptions): SecretResolver {
  return async (ref) => {
    const value = await valueOf(ref, options);
    if (value === '') throw new HoopError('config_invalid', 'a secret is empty', { why: placeOf(ref) });
    return new Secret((ref.prefix ?? '') + value);
  };
}

async function valueOf(ref: SecretRef, options: SecretResolverOptions): Promise<string> {
  if ('secret' in ref)
    throw new HoopError('not_in_version', 'secret store: not in this version', { why: placeOf(ref) });
  if ('env' in ref) return options.env[ref.env] ?? '';
  const { text, mode } = await options.readFile(ref.file);
  if ((mode & WORLD_WRITABLE) !== 0) {
    throw new HoopError('config_invalid', 'a secret’s file may be written by anyone on the machine', {
      why: placeOf(ref),
      suggestion: 'chmod 600 the file, and check that its value is still yours',
    });
  }
  if ((mode & READABLE_BY_OTHERS) !== 0)
    options.warn(`${placeOf(ref)} may be read by other users of the machine; chmod 600 it`);
  return text.replace(/\r?\n$/, '');
}

/** Where the value should come from; names only. */
function placeOf(ref: SecretRef): string {
  if ('secret' in ref) return `secret ${ref.secret}`;
  return 'env' in ref ? `environment variable ${ref.env}` : `file ${ref.file}`;
}
