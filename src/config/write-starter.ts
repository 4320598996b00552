import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HoopError, messageOf } from '../core/errors.js';
import type { StarterFile } from './starter.js';

const PRIVATE_FOLDER = 0o700;

/**
 * Writes the starter files below a folder, which is made where it is missing. Nothing is overwritten:
 * where one of the files is there already, none is written.
 *
 * @throws HoopError `failed` naming the file that is there, or why a file can't be written
 */
export async function writeStarter(dir: string, files: readonly StarterFile[]): Promise<void> {
  const there = files.find(({ path }) => existsSync(join(dir, path)));
  if (there !== undefined) {
    throw new HoopError('failed', `${there.path} is there already`, {
      why: 'nothing was written, so that no file of yours is lost',
      suggestion: 'name a folder without resource files',
    });
  }
  try {
    for (const { path, content, mode } of files) {
      const file = join(dir, path);
      await mkdir(dirname(file), { recursive: true, mode: PRIVATE_FOLDER });
      // `wx`: also what came into being since the look above stays as it is.
      await writeFile(file, content, { mode, flag: 'wx' });
    }
  } catch (error) {
    throw new HoopError('failed', 'the files could not be written', {
      why: messageOf(error),
      suggestion: 'name a folder that you may write to',
      cause: error,
    });
  }
}
