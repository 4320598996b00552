import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { HoopError, messageOf } from '../../core/errors.js';

export interface ScriptSource {
  /** `-i TEXT` */
  readonly text?: string | undefined;
  /** `-f FILE`; `-` is standard input. */
  readonly file?: string | undefined;
  readonly stdin: Readable & { readonly isTTY?: boolean };
}

/** Larger scripts go through a port: `hoop exec CONNECTION -- psql -f FILE`. */
const MAX_SCRIPT_BYTES = 64 << 20;

/** @throws HoopError usage for none or two sources, failed for a file that can't be read, limit over 64 MiB */
export async function readScript(source: ScriptSource): Promise<string> {
  if (source.text !== undefined && source.file !== undefined)
    throw new HoopError('usage', '-i and -f exclude each other');
  if (source.text !== undefined) return source.text;
  if (source.file !== undefined && source.file !== '-') return decode(await readNamed(source.file));
  if (source.stdin.isTTY === true) {
    throw new HoopError('usage', 'nothing to run', {
      why: 'neither -i nor -f is given and standard input is a terminal',
      suggestion: 'give the SQL with -i TEXT, -f FILE or by a pipe',
    });
  }
  return decode(await readStream(source.stdin));
}

async function readNamed(file: string): Promise<Buffer> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new HoopError('failed', 'the file given with -f can not be read', {
      why: messageOf(error),
      suggestion: 'check its name and its rights',
      cause: error,
    });
  });
  return withinLimit(bytes);
}

async function readStream(stream: Readable): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of stream as AsyncIterable<Buffer>) {
    parts.push(part);
    length += part.length;
    if (length > MAX_SCRIPT_BYTES) break;
  }
  return withinLimit(Buffer.concat(parts));
}

function withinLimit(bytes: Buffer): Buffer {
  if (bytes.length > MAX_SCRIPT_BYTES)
    throw new HoopError('limit', `the script is over ${String(MAX_SCRIPT_BYTES >> 20)} MiB`);
  return bytes;
}

/** A byte that is no UTF-8 would silently become another text than the file holds. */
function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new HoopError('usage', 'the script is no UTF-8 text', { suggestion: 'convert the file, e.g. with iconv' });
  }
}
