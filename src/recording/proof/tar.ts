/**
 * The tar format as far as an evidence bundle needs it: plain files with short names, in one stream.
 *
 * ```
 * 0   name, 100 bytes         124 size, octal, 12     156 type, `0` for a file
 * 100 mode, octal, 8          136 mtime, octal, 12    257 `ustar`, NUL, `00`
 * 108 uid, 116 gid, octal, 8  148 checksum, octal, 8
 * ```
 *
 * each header and each content filled up with zeros to 512 bytes; two blocks of zeros end it.
 *
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06
 */
const BLOCK = 512;
/** Larger files have no place in the header's eleven octal digits. */
const MAX_FILE_BYTES = 8 ** 11 - 1;

export const TAR_END: Uint8Array = new Uint8Array(2 * BLOCK);

/** @param name at most 100 ASCII characters. @throws RangeError for a longer name or a file of more than 8 GiB */
export function tarHeader(name: string, size: number, mtimeMs: number): Uint8Array {
  if (!/^[\x21-\x7e]{1,100}$/.test(name)) throw new RangeError('name has no place in a tar header');
  if (size > MAX_FILE_BYTES) throw new RangeError('file is larger than tar headers can say');
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, digits: number): void =>
    void header.write(value.toString(8).padStart(digits, '0'), at, 'latin1');
  header.write(name, 0, 'latin1');
  octal(0o600, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(size, 124, 11);
  octal(Math.floor(mtimeMs / 1000), 136, 11);
  header.write('        0', 148, 'latin1');
  header.write('ustar\u000000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  octal(sum, 148, 6);
  header[154] = 0;
  return header;
}

/** What fills a file's content up to whole blocks. */
export function tarPadding(size: number): Uint8Array {
  return new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);
}

export interface TarEntry {
  readonly name: string;
  readonly size: number;
}

/** Takes what a tar stream holds, piece by piece. */
export interface TarSink {
  /** Throws for an entry that it does not want. */
  begin(entry: TarEntry): void;
  write(bytes: Uint8Array): void;
  end(): void;
}

/**
 * Reads a tar stream to its end.
 *
 * @throws TypeError where it is cut off, has a checksum that does not fit, or holds anything but plain files
 */
export async function readTar(chunks: AsyncIterable<Uint8Array>, sink: TarSink): Promise<void> {
  const reader = new TarReader(sink);
  for await (const chunk of chunks) reader.push(chunk);
  if (!reader.ended) throw new TypeError('the archive is cut off');
}

class TarReader {
  ended = false;
  readonly #head = Buffer.alloc(BLOCK);
  #headBytes = 0;
  /** Bytes of content, and of padding behind it, still to come. */
  #content = 0;
  #padding = 0;

  constructor(private readonly sink: TarSink) {}

  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length && !this.ended;) {
      if (this.#content > 0) {
        const piece = chunk.subarray(at, at + this.#content);
        this.sink.write(piece);
        this.#content -= piece.length;
        at += piece.length;
        if (this.#content === 0) this.sink.end();
      } else if (this.#padding > 0) {
        const skipped = Math.min(this.#padding, chunk.length - at);
        this.#padding -= skipped;
        at += skipped;
      } else {
        const piece = chunk.subarray(at, at + BLOCK - this.#headBytes);
        this.#head.set(piece, this.#headBytes);
        this.#headBytes += piece.length;
        at += piece.length;
        if (this.#headBytes === BLOCK) this.#begin();
      }
    }
  }

  #begin(): void {
    this.#headBytes = 0;
    const head = this.#head;
    if (head.every((byte) => byte === 0)) {
      this.ended = true;
      return;
    }
    const sum = head.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
    if (octalAt(head, 148, 8) !== sum) throw new TypeError('the archive has a header whose checksum does not fit');
    if (head[156] !== 0x30 && head[156] !== 0) throw new TypeError('the archive holds something that is no plain file');
    const size = octalAt(head, 124, 12);
    this.sink.begin({ name: textAt(head, 0, 100), size });
    this.#content = size;
    this.#padding = tarPadding(size).length;
    if (size === 0) this.sink.end();
  }
}

function textAt(head: Buffer, at: number, length: number): string {
  const field = head.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end < 0 ? length : end);
}

function octalAt(head: Buffer, at: number, length: number): number {
  const text = textAt(head, at, length).trim();
  if (!/^[0-7]+$/.test(text)) throw new TypeError('the archive has a header that can not be read');
  return Number.parseInt(text, 8);
}
