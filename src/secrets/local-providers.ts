import { HoopError } from '../core/errors.js';
import type { SecretProvider } from './provider.js';
import type { SecretFile } from './secret-file.js';

const WORLD_WRITABLE = 0o002;
const READABLE_BY_OTHERS = 0o044;

/** Variables of the agent's own environment. */
export function environmentProvider(env: Readonly<Record<string, string | undefined>>): SecretProvider {
  return {
    kind: 'env',
    describe: (name) => `environment variable ${name}`,
    read: (name) => env[name] ?? '',
  };
}

/**
 * Files; one trailing line ending is not part of the value. One that anyone may write is refused.
 *
 * @param warn told of a file that others may read
 */
export function fileProvider(
  readFile: (path: string) => Promise<SecretFile>,
  warn: (message: string) => void,
): SecretProvider {
  const describe = (path: string): string => `file ${path}`;
  return {
    kind: 'file',
    describe,
    read: async (path) => {
      const { text, mode } = await readFile(path);
      if ((mode & WORLD_WRITABLE) !== 0) {
        throw new HoopError('config_invalid', 'a secret’s file may be written by anyone on the machine', {
          why: describe(path),
          suggestion: 'chmod 600 the file, and check that its value is still yours',
        });
      }
      if ((mode & READABLE_BY_OTHERS) !== 0)
        warn(`${describe(path)} may be read by other users of the machine; chmod 600 it`);
      return text.replace(/\r?\n$/, '');
    },
  };
}
