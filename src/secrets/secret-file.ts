import { open } from 'node:fs/promises';
import { HoopError } from '../core/errors.js';

/** More than any password or key; a secret's file that is longer is the wrong file. */
const MAX_SECRET_BYTES = 64 * 1024;

export interface SecretFile {
  readonly text: string;
  /** Permission bits of the file, e.g. 0o600. */
  readonly mode: number;
}

/**
 * Reads a secret's file. The mode is that of the very file read, not of what the path names a moment later.
 *
 * @throws HoopError `config_invalid` where it can't be read, is no regular file or is longer than 64 KiB
 */
export async function readSecretFile(path: string): Promise<SecretFile> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw new HoopError('config_invalid', 'a secret’s file cannot be read', { why: codeOf(error) });
  });
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new HoopError('config_invalid', 'a secret’s file is not a regular file');
    if (stats.size > MAX_SECRET_BYTES)
      throw new HoopError('config_invalid', `a secret’s file is longer than ${MAX_SECRET_BYTES} bytes`);
    return { text: await file.readFile('utf8'), mode: stats.mode & 0o777 };
  } finally {
    await file.close();
  }
}

/** `ENOENT` and the like: Node's full message holds the path, the code is enough. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'unknown reason';
}
