import { constants, existsSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

import { HoopError } from '../../core/errors.js';
import type { ChainedEvent } from '../../core/events.js';
import { isId } from '../../core/ids.js';
import { isChainedEvent, MAX_LINE_VALUES, rechainEvent } from '../chain.js';
import { COMPRESSED, decompressed } from '../folder/compression.js';
import { splitLines } from './lines.js';
import type { RawLine } from './lines.js';

const CHUNK_BYTES = 256 * 1024;
const FILE = /^\d{4}-\d{2}-\d{2}\/([0-9a-f-]{36})\.ndjson$/;

/**
 * The path of a recording named as in `SessionSummary.file`.
 *
 * @throws HoopError `not_found` for anything but `YYYY-MM-DD/SESSION.ndjson`
 */
export function recordingPath(dir: string, file: string): string {
  const match = FILE.exec(file);
  if (match === null || !isId(match[1] as string)) throw new HoopError('not_found', 'no such recording');
  return join(dir, file);
}

/** How a file is opened that others may have put there: no link is followed, no pipe waited for. */
export const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Is a recording there, as it is or compressed? */
export function hasRecording(path: string): boolean {
  return existsSync(path) || existsSync(`${path}${COMPRESSED}`);
}

/**
 * The bytes of a recording, chunk by chunk; the handle is closed with the loop. Where it lies compressed, under that
 * name or as the one asked for, they are those that were compressed.
 *
 * @throws HoopError `not_found` when it is not there or is no regular file, `verify_failed` for a compressed one that
 *   is none
 */
export async function* readRecording(path: string): AsyncGenerator<Uint8Array> {
  const [handle, compressed] = await openPlain(path);
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new HoopError('not_found', 'recording is not a regular file');
    yield* compressed ? decompressed(readHandle(handle), stat.size) : readHandle(handle);
  } finally {
    await handle.close();
  }
}

/** @returns the file, and whether it is compressed */
async function openPlain(path: string): Promise<readonly [FileHandle, boolean]> {
  try {
    return [await open(path, READ_FLAGS), path.endsWith(COMPRESSED)];
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT' && path.endsWith('.ndjson')) {
      const handle = await open(`${path}${COMPRESSED}`, READ_FLAGS).catch(() => undefined);
      if (handle !== undefined) return [handle, true];
    }
    throw new HoopError('not_found', 'recording can not be opened', { cause });
  }
}

/** The bytes of an open file from its start. Each chunk is a fresh array. */
async function* readHandle(handle: FileHandle): AsyncGenerator<Uint8Array> {
  let position = 0;
  for (;;) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

let shared: Buffer | undefined;

/**
 * The same of a file descriptor, for those who read very many small files and nothing else: waits for the disk, and
 * fills one chunk again and again, so that only one may be read at a time.
 */
export async function* readDescriptor(fd: number): AsyncGenerator<Uint8Array> {
  const chunk = (shared ??= Buffer.allocUnsafeSlow(CHUNK_BYTES));
  for (let position = 0; ;) {
    const count = readSync(fd, chunk, 0, CHUNK_BYTES, position);
    if (count === 0) return;
    position += count;
    yield chunk.subarray(0, count);
  }
}

/** What one line turned out to be. `intact` says that its text is canonical and its own hash holds. */
export interface ParsedLine {
  readonly event: ChainedEvent;
  readonly intact: boolean;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** No event is shorter: two hashes and the names of five members. */
const MIN_LINE_BYTES = 160;
const OPENING_BRACE = 0x7b;

/** The event of a line, or undefined where it is none. Never throws. */
export function parseLine(line: RawLine): ParsedLine | undefined {
  const { bytes } = line;
  // First what costs nothing: a file of line ends must not take hours.
  if (bytes.length < MIN_LINE_BYTES || bytes[0] !== OPENING_BRACE) return undefined;
  if (line.tooLong || tooManyValues(bytes)) return undefined;
  try {
    const text = decoder.decode(bytes);
    const event: unknown = JSON.parse(text);
    if (!isChainedEvent(event)) return undefined;
    // Duplicate members, other spellings of a number or a string, white space: all differ from this.
    return { event, intact: rechainEvent(event).text === text };
  } catch {
    return undefined;
  }
}

const LARGE_LINE_BYTES = 1024 * 1024;

/** Counts what could become a value, outside strings; small lines can't hold too many. */
export function tooManyValues(bytes: Uint8Array): boolean {
  if (bytes.length <= LARGE_LINE_BYTES) return false;
  let values = 0;
  let inString = false;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index];
    if (byte === 0x22) inString = !inString;
    else if (inString) {
      if (byte === 0x5c) index += 1;
    } else if (byte === 0x2c || byte === 0x5b || byte === 0x7b) values += 1;
  }
  return values > MAX_LINE_VALUES;
}

/**
 * The events of a recording, in order, without proving anything (`verifyRecording` does that). A
 * torn tail, as a live file may have, ends the stream; so does a line that is no event.
 */
export async function* readEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ChainedEvent> {
  for await (const lines of splitLines(chunks)) {
    for (const line of lines) {
      if (!line.ended) return;
      const parsed = parseLine(line);
      if (parsed === undefined) throw new HoopError('verify_failed', 'recording holds a line that is no event');
      yield parsed.event;
    }
  }
}
