import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';

import { HoopError } from '../../core/errors.js';
import { READ_FLAGS } from './read.js';

/** How often a file that has not grown is looked at, in ms: one read of nothing. */
const LOOK_MS = 100;
const CHUNK_BYTES = 64 * 1024;

export interface FollowOptions {
  /** Does somebody still write to it? Asked before each look, so that what was written last is read. */
  readonly live: () => boolean;
  /** Throws what ends the stream as a failure: the reader's right is over. */
  readonly check: () => void;
}

/**
 * The bytes of a recording that is being written: those that are there, then what comes, until nobody writes to it
 * any more. The handle is closed with the loop.
 *
 * @throws HoopError `not_found` when it is not there or is no regular file
 */
export async function* followRecording(path: string, { live, check }: FollowOptions): AsyncGenerator<Uint8Array> {
  let handle: FileHandle;
  try {
    handle = await open(path, READ_FLAGS);
  } catch (cause) {
    throw new HoopError('not_found', 'recording can not be opened', { cause });
  }
  try {
    if (!(await handle.stat()).isFile()) throw new HoopError('not_found', 'recording is not a regular file');
    for (let position = 0; ;) {
      const goesOn = live();
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, position);
      position += bytesRead;
      if (bytesRead > 0) yield buffer.subarray(0, bytesRead);
      else if (!goesOn) return;
      else await wait(LOOK_MS);
      check();
    }
  } finally {
    await handle.close();
  }
}
