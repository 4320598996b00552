import { HoopError } from '../core/errors.js';
import type { SecretRef } from '../core/resources.js';
import { environmentProvider, fileProvider } from './local-providers.js';
import type { SecretProvider } from './provider.js';
import type { SecretFile } from './secret-file.js';
import { Secret } from './secret.js';

export interface SecretResolverOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => Promise<SecretFile>;
  /** Told, without any value, of what should be mended but still works. */
  readonly warn: (message: string) => void;
  /** Besides the environment and files. */
  readonly providers?: readonly SecretProvider[];
}

/** Gets a secret's value from where the reference says, at the moment of use. */
export type SecretResolver = (ref: SecretRef) => Promise<Secret>;

/**
 * Resolves references by their providers. The reference's `prefix` is put before the value. Nothing is cached: a
 * rotated secret is used at once.
 *
 * The resolver throws HoopError `config_invalid` where there is no value, it is empty, or anyone on
 * the machine may write the file. No error holds a value.
 */
export function createSecretResolver(options: SecretResolverOptions): SecretResolver {
  const { env, readFile, warn, providers = [] } = options;
  const all = [environmentProvider(env), fileProvider(readFile, warn), ...providers];
  return async (ref) => {
    const [provider, name] = providerOf(ref, all);
    const value = await provider.read(name);
    if (value === '')
      throw new HoopError('config_invalid', 'a secret is empty', {
        why: provider.describe(name),
        suggestion: 'give it a value where the agent runs, then start again',
      });
    return new Secret((ref.prefix ?? '') + value);
  };
}

function providerOf(ref: SecretRef, providers: readonly SecretProvider[]): readonly [SecretProvider, string] {
  for (const provider of providers) {
    const name = (ref as Partial<Record<string, string>>)[provider.kind];
    if (name !== undefined) return [provider, name];
  }
  throw new HoopError('config_invalid', 'the agent’s secret store is not open here');
}
