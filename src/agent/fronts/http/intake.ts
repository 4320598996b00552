import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';
import { KeptChunks } from '../../../core/bytes.js';
import { HoopError } from '../../../core/errors.js';

/** Of every body so much is read before anything is decided, in bytes: it is recorded. */
const ALWAYS_READ_BYTES = 64 * 1024;

/** A request's body as far as it was read. */
export interface Intake {
  /** Decoded where the body was read whole. */
  readonly bytes: Buffer;
  /** Nothing follows. */
  readonly whole: boolean;
  /** It goes up as `bytes`, under no content coding: that was undone. */
  readonly decoded: boolean;
  /** Of a body that goes on as it comes: how many bytes it has by its own word. Some servers take none that do not say. */
  readonly toldBytes?: number;
  /** What goes upstream: undefined where there is no body. */
  stream(): Buffer | Readable | undefined;
}

export interface IntakeOptions {
  /** Something has to read it whole. */
  readonly needed: boolean;
  /** It is read whole where it is not too large for that. */
  readonly wanted: boolean;
  /** Most bytes of a body that is read whole, decoded. */
  readonly limitBytes: number;
}

/**
 * Reads the beginning of a body, or all of it where something needs that.
 *
 * @throws HoopError `limit` over the size, `usage` for a body that breaks off or is not encoded as it says
 */
export async function readIntake(request: IncomingMessage, options: IntakeOptions): Promise<Intake> {
  const { headers } = request;
  if (headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0') return NO_BODY;
  const length = Number(headers['content-length'] ?? NaN);
  if (options.needed && length > options.limitBytes) throw tooLarge(options.limitBytes);
  const reads = options.needed || (options.wanted && !(length > options.limitBytes));
  const most = reads ? options.limitBytes : ALWAYS_READ_BYTES;
  const { bytes, whole } = await readUpTo(request, most);
  if (!whole) {
    if (options.needed) throw tooLarge(options.limitBytes);
    const stream = () => Readable.from(joined(bytes, request), { objectMode: false });
    return { bytes, whole, decoded: false, ...(Number.isNaN(length) ? {} : { toldBytes: length }), stream };
  }
  const coding = headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (!reads || coding === '' || coding === 'identity') return { bytes, whole, decoded: false, stream: () => bytes };
  try {
    const decoded = await decode(bytes, coding, options.limitBytes);
    // Exactly what was judged goes up; what nothing has to judge goes up as it came.
    return { bytes: decoded, whole, decoded: options.needed, stream: () => (options.needed ? decoded : bytes) };
  } catch (error) {
    // Who only wants to read it lets it pass as it came.
    if (options.needed) throw error;
    return { bytes, whole, decoded: false, stream: () => bytes };
  }
}

/** Of a request without a body. */
export const NO_BODY: Intake = { bytes: Buffer.alloc(0), whole: true, decoded: false, stream: () => undefined };

/** By events: leaving a `for await` early would close the socket before the refusal is sent. */
function readUpTo(request: IncomingMessage, most: number): Promise<{ bytes: Buffer; whole: boolean }> {
  return new Promise((resolve, reject) => {
    const kept = new KeptChunks();
    const settle = (finish: () => void): void => {
      request.off('data', onData).off('end', onEnd).off('close', onBroken).off('error', onBroken);
      finish();
    };
    const onData = (chunk: Buffer): void => {
      kept.push(chunk);
      if (kept.length <= most) return;
      request.pause();
      settle(() => {
        resolve({ bytes: asBuffer(kept.join()), whole: false });
      });
    };
    const onEnd = (): void => {
      settle(() => {
        resolve({ bytes: asBuffer(kept.join()), whole: true });
      });
    };
    const onBroken = (): void => {
      settle(() => {
        reject(new HoopError('usage', 'the body broke off'));
      });
    };
    request.on('data', onData).once('end', onEnd).once('close', onBroken).once('error', onBroken);
  });
}

/** The same memory, as Node's own functions want it. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

async function* joined(first: Buffer, rest: IncomingMessage): AsyncGenerator<Buffer> {
  yield first;
  for await (const chunk of rest) yield chunk as Buffer;
}

const DECODERS = new Map([
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  ['br', brotliDecompress],
]);

function decode(bytes: Buffer, coding: string, limitBytes: number): Promise<Buffer> {
  // RFC 9110 8.4.1.2: deflate is the zlib format; some send it bare.
  const bare = coding === 'deflate' && ((bytes[0] ?? 0) & 0x0f) !== 8;
  const decoder = coding === 'deflate' ? (bare ? inflateRaw : inflate) : DECODERS.get(coding);
  if (decoder === undefined)
    throw new HoopError('usage', 'the content coding of the body is none of gzip, br and deflate');
  return new Promise((resolve, reject) => {
    decoder(bytes, { maxOutputLength: limitBytes }, (error, decoded) => {
      if (error === null) resolve(decoded);
      else if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') reject(tooLarge(limitBytes));
      else reject(new HoopError('usage', 'the body is not encoded as it says'));
    });
  });
}

function tooLarge(limitBytes: number): HoopError {
  return new HoopError('limit', `the body is larger than limits.bodyBytes (${String(limitBytes)} bytes)`);
}
