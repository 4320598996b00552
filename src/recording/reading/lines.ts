import { copyBytes } from '../../core/copy-bytes.js';
import { MAX_LINE_BYTES } from '../chain.js';

/** One line as it stands in the file. */
export interface RawLine {
  readonly bytes: Uint8Array;
  /** False for what follows the last line end: a torn tail. */
  readonly ended: boolean;
  /** Where the next line starts, in bytes from the start of the file. */
  readonly endOffset: number;
  /** The line goes on beyond the limit; nothing after it is read. */
  readonly tooLong: boolean;
}

const LINE_END = 0x0a;

/**
 * Cuts a file into lines; holds no more than one chunk and one line. Lines come in batches, one a
 * chunk, because a promise for every line would cost more than checking it.
 *
 * @param maxLineBytes longest line read, in bytes without its end
 */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
  maxLineBytes = MAX_LINE_BYTES,
): AsyncGenerator<readonly RawLine[]> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let offset = 0;
  for await (const chunk of chunks) {
    const lines: RawLine[] = [];
    let start = 0;
    for (let end = chunk.indexOf(LINE_END); end >= 0; end = chunk.indexOf(LINE_END, start)) {
      const piece = chunk.subarray(start, end);
      const tooLong = heldBytes + piece.length > maxLineBytes;
      const bytes = heldBytes === 0 ? piece : Buffer.concat([...held, piece]);
      offset += bytes.length + 1;
      lines.push({ bytes, ended: true, endOffset: offset, tooLong });
      held = [];
      heldBytes = 0;
      start = end + 1;
    }
    if (start < chunk.length) {
      // A copy: the reader may fill its chunk anew.
      held.push(copyBytes(chunk.subarray(start)));
      heldBytes += chunk.length - start;
    }
    const overflow = heldBytes > maxLineBytes;
    if (overflow) lines.push({ bytes: new Uint8Array(0), ended: true, endOffset: offset, tooLong: true });
    if (lines.length > 0) yield lines;
    if (overflow) return;
  }
  if (heldBytes > 0) {
    yield [{ bytes: Buffer.concat(held), ended: false, endOffset: offset + heldBytes, tooLong: false }];
  }
}
