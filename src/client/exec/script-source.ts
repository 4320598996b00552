import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { HoopError, messageOf } from '../../core/errors.js';

export interface ScriptSource {
  /** `-i TEXT` */
  readonly text?: string | undefined;
  /** `-f FILE`; `-` is standard input. */
  readonly file?: string | undefined;
  readonly stdin: Readable & { readonly isTTY?: boolean };
}

/** A text as it arrives. */
export type TextParts = AsyncIterable<string>;

/** Largest text that is read whole. */
const MAX_WHOLE_BYTES = 64 << 20;

/**
 * Opens what is to be run, without reading it.
 *
 * @throws HoopError usage for none or two sources, failed for a file that can't be read; while reading, usage for bytes
 *   that are no UTF-8: they would silently become another text than the file holds
 */
export async function openSource(source: ScriptSource): Promise<TextParts> {
  if (source.text !== undefined && source.file !== undefined)
    throw new HoopError('usage', '-i and -f exclude each other');
  if (source.text !== undefined) return only(source.text);
  if (source.file !== undefined && source.file !== '-') return decoded(await openNamed(source.file));
  if (source.stdin.isTTY === true) {
    throw new HoopError('usage', 'nothing to run', {
      why: 'neither -i nor -f is given and standard input is a terminal',
      suggestion: 'give the SQL with -i TEXT, -f FILE or by a pipe',
    });
  }
  return decoded(source.stdin);
}

/** All of a text. @throws HoopError limit over 64 MiB */
export async function readWhole(parts: TextParts): Promise<string> {
  let text = '';
  for await (const part of parts) {
    text += part;
    if (text.length > MAX_WHOLE_BYTES)
      throw new HoopError('limit', `the text is over ${String(MAX_WHOLE_BYTES >> 20)} MiB`);
  }
  return text;
}

async function openNamed(file: string): Promise<AsyncIterable<Uint8Array>> {
  const unreadable = (error: unknown): HoopError =>
    new HoopError('failed', 'the file given with -f can not be read', {
      why: messageOf(error),
      suggestion: 'check its name and its rights',
      cause: error,
    });
  const handle = await open(file, 'r').catch((error: unknown) => {
    throw unreadable(error);
  });
  if ((await handle.stat()).isDirectory()) {
    await handle.close();
    throw unreadable(new Error('it is a folder'));
  }
  return handle.createReadStream({ highWaterMark: 1 << 20 });
}

async function* only(text: string): AsyncGenerator<string> {
  yield text;
}

async function* decoded(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const part of bytes) yield decoder.decode(part, { stream: true });
    yield decoder.decode();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new HoopError('usage', 'the script is no UTF-8 text', { suggestion: 'convert the file, e.g. with iconv' });
  }
}
