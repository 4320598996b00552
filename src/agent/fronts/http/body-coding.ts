import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw, constants } from 'node:zlib';
import type { Transform } from 'node:stream';
import { UpstreamFault } from './refusals.js';

/** Undoes a content coding as it comes. */
export interface Decoder {
  push(chunk: Buffer): void;
  end(): void;
  /** Frees what it holds; nothing is told after it. */
  destroy(): void;
  /** Nothing is told until `resume`: a few bytes may be gigabytes, which the client has to take first. */
  pause(): void;
  resume(): void;
  /** Is more given than it has worked off? Then the sender waits for `drain`. */
  readonly full: boolean;
}

export interface DecoderListener {
  data(chunk: Buffer): void;
  end(): void;
  failed(error: UpstreamFault): void;
  drain(): void;
}

const FLUSH = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_FINISH };
const BROTLI_FLUSH = { flush: constants.BROTLI_OPERATION_FLUSH };

/** Codings that can be undone; what a request may ask the upstream for. */
export const CODINGS: readonly string[] = ['gzip', 'br', 'deflate'];

/** @param coding the Content-Encoding header; undefined for one that can't be undone, a list of several included */
export function createDecoder(coding: string, listener: DecoderListener): Decoder | undefined {
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return decoderOf(() => createGunzip(FLUSH), listener);
    case 'br':
      return decoderOf(() => createBrotliDecompress(BROTLI_FLUSH), listener);
    case 'deflate':
      // RFC 9110 8.4.1.2: the zlib format; some servers send it bare.
      return decoderOf(
        (first) => (((first[0] ?? 0) & 0x0f) === 8 ? createInflate(FLUSH) : createInflateRaw(FLUSH)),
        listener,
      );
    default:
      return undefined;
  }
}

function decoderOf(make: (first: Buffer) => Transform, listener: DecoderListener): Decoder {
  let transform: Transform | undefined;
  let over = false;
  const start = (first: Buffer): Transform => {
    const made = make(first);
    made.on('data', (chunk: Buffer) => {
      if (!over) listener.data(chunk);
    });
    made.on('drain', () => {
      if (!over) listener.drain();
    });
    made.on('error', () => {
      if (over) return;
      over = true;
      listener.failed(new UpstreamFault('the answer is not encoded as it says'));
    });
    made.on('end', () => {
      if (over) return;
      over = true;
      listener.end();
    });
    return made;
  };
  return {
    push: (chunk) => {
      transform ??= start(chunk);
      transform.write(chunk);
    },
    end: () => {
      if (transform === undefined) listener.end();
      else transform.end();
    },
    pause: () => transform?.pause(),
    resume: () => transform?.resume(),
    destroy: () => {
      over = true;
      transform?.destroy();
    },
    get full() {
      return transform?.writableNeedDrain === true;
    },
  };
}
