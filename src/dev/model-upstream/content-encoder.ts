import { createBrotliCompress, createDeflate, createGzip } from 'node:zlib';
import type { BrotliCompress, Deflate, Gzip } from 'node:zlib';
import type { Encoding } from './steering.js';

/** Encodes a body part by part, each of which can be decoded as soon as it has come. */
export class ContentEncoder {
  readonly #stream: Gzip | Deflate | BrotliCompress;
  #made: Buffer[] = [];

  constructor(encoding: Encoding) {
    if (encoding === 'br') this.#stream = createBrotliCompress();
    else this.#stream = encoding === 'gzip' ? createGzip() : createDeflate();
    this.#stream.on('data', (part: Buffer) => this.#made.push(part));
  }

  async push(part: Buffer): Promise<Buffer> {
    this.#stream.write(part);
    await new Promise<void>((resolve) => this.#stream.flush(resolve));
    return this.#take();
  }

  async end(): Promise<Buffer> {
    const ended = new Promise((resolve) => this.#stream.once('end', resolve));
    this.#stream.end();
    await ended;
    return this.#take();
  }

  #take(): Buffer {
    const made = Buffer.concat(this.#made);
    this.#made = [];
    return made;
  }
}
