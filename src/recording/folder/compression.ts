import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants as zlib, createBrotliCompress, createBrotliDecompress } from 'node:zlib';

import { HoopError } from '../../core/errors.js';

/**
 * A closed recording may lie compressed, as `SESSION.ndjson.br` (RFC 7932). Its chain and its seal are over the lines
 * that come out; the compressed bytes themselves prove nothing and need not be the same wherever they are made.
 */
export const COMPRESSED = '.br';

/** A compressed file while it is being written; never looked at. */
export const COMPRESSED_DRAFT = '.compressed.new';

/** Text of this kind becomes a tenth; more effort costs far more time than it saves room. */
const QUALITY = 5;

/**
 * How much larger than the file the lines of it may be: what would become smaller than that stays as it is. So a few
 * bytes that somebody put there can't keep a reader busy for hours.
 */
const MAX_RATIO = 1000;

/**
 * What comes out of a compressed file.
 *
 * @param size of the file, in bytes
 * @throws HoopError `verify_failed` where it is not one, is cut off, goes on, or would become more than `MAX_RATIO`
 */
export async function* decompressed(chunks: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let unpacked = 0;
  const decoder = createBrotliDecompress();
  const source = Readable.from(chunks);
  source.on('error', (error) => decoder.destroy(error));
  try {
    for await (const chunk of source.pipe(decoder)) {
      unpacked += (chunk as Uint8Array).length;
      if (unpacked > size * MAX_RATIO)
        throw new HoopError('verify_failed', 'the compressed file holds far more than hoop ever compresses');
      yield chunk as Uint8Array;
    }
  } catch (cause) {
    if (cause instanceof HoopError) throw cause;
    const code = (cause as { code?: unknown }).code;
    const cut =
      code === 'Z_BUF_ERROR' || code === 'ERR__ERROR_FORMAT_PADDING_2' || /unexpected end/i.test(String(cause));
    throw new HoopError('verify_failed', cut ? 'the compressed file is cut off' : 'the compressed file was changed', {
      cause,
    });
  } finally {
    source.destroy();
  }
  if (decoder.bytesWritten !== size)
    throw new HoopError('verify_failed', 'something follows the end of the compressed file');
}

/**
 * Puts a closed recording's compressed form in its place. The new file is read back and compared before the old one
 * goes; a crash leaves the old one, or both.
 *
 * @param path of the `.ndjson` file
 * @param read gives the bytes of a recording, compressed or not
 * @returns false where it would not become smaller, or suspiciously so; then nothing changed
 */
export async function compressRecording(
  path: string,
  read: (path: string) => AsyncIterable<Uint8Array>,
): Promise<boolean> {
  const draft = join(dirname(path), COMPRESSED_DRAFT);
  await rm(draft, { force: true });
  const before = createHash('sha256');
  let size = 0;
  const hashed = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of read(path)) {
      before.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  };
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
  const handle: FileHandle = await open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  let written = 0;
  try {
    const encoder = createBrotliCompress({ params: { [zlib.BROTLI_PARAM_QUALITY]: QUALITY } });
    await pipeline(hashed, encoder, async (chunks: AsyncIterable<Uint8Array>) => {
      for await (const chunk of chunks) written += (await handle.write(chunk)).bytesWritten;
    });
    await handle.datasync();
  } finally {
    await handle.close();
  }
  if (written >= size || size > written * MAX_RATIO) {
    await rm(draft, { force: true });
    return false;
  }
  const after = createHash('sha256');
  for await (const chunk of decompressed(read(draft), written)) after.update(chunk);
  if (after.digest('hex') !== before.digest('hex')) {
    await rm(draft, { force: true });
    return false;
  }
  await rename(draft, `${path}${COMPRESSED}`);
  await rm(path);
  return true;
}
