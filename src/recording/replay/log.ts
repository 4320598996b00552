import type { FileHandle } from 'node:fs/promises';

import { HoopError } from '../../core/errors.js';
import { MAX_LINE_BYTES } from '../chain.js';
import { BlockIndex } from './block-index.js';
import type { Landmark } from './block-index.js';
import { atMsOf, parseEntry } from './entry.js';
import type { ReplayEntry } from './entry.js';

const CHUNK_BYTES = 256 * 1024;
/** Bytes of file whose events are kept parsed; their objects take some times as much. */
const KEPT_BYTES = 1024 * 1024;
const LINE_END = 0x0a;

interface Block {
  readonly entries: readonly ReplayEntry[];
  readonly bytes: number;
}

/**
 * A recording, or several as one, to be looked at anywhere: a file that is read by blocks, with an index of them. Of
 * 1 GB it holds less than 1 MB of index and as much of events.
 *
 * The file may grow: `extend` takes in what is there. A torn last line is taken once it is whole.
 */
export class ReplayLog {
  #endMs = Number.NEGATIVE_INFINITY;
  readonly #blocks = new Map<number, Block>();
  #keptBytes = 0;
  readonly #chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);

  /** @param file open for reading; belongs to the log from now on */
  constructor(
    private readonly file: FileHandle,
    readonly index = new BlockIndex(),
  ) {}

  /** Events. */
  get length(): number {
    return this.index.events;
  }

  /** Time of the first event, ms since the epoch. */
  get startMs(): number {
    return this.index.length === 0 ? 0 : this.index.startMs(0);
  }

  /** The latest time known of, ms since the epoch: of the last event read, and of the last block's start. */
  get endMs(): number {
    return Math.max(this.#endMs, this.index.length === 0 ? 0 : this.index.startMs(this.index.length - 1));
  }

  /**
   * Indexes what was added to the file, to its end as it is now.
   *
   * @param onProgress told of bytes done, some times a second
   * @throws HoopError `verify_failed` for a line longer than a recording may have
   */
  async extend(onProgress: (bytes: number) => void = () => undefined): Promise<void> {
    const before = this.index.events;
    let held: Buffer[] = [];
    let heldBytes = 0;
    for (let position = this.index.endOffset; ;) {
      const { bytesRead } = await this.file.read(this.#chunk, 0, CHUNK_BYTES, position);
      if (bytesRead === 0) break;
      position += bytesRead;
      const chunk = this.#chunk.subarray(0, bytesRead);
      let start = 0;
      for (let end = chunk.indexOf(LINE_END); end >= 0; end = chunk.indexOf(LINE_END, start)) {
        // Of millions of lines none gets an object of its own.
        if (heldBytes === 0) this.index.add(chunk, start, end);
        else this.index.add(Buffer.concat([...held, chunk.subarray(start, end)]));
        if (heldBytes > 0) [held, heldBytes] = [[], 0];
        start = end + 1;
      }
      if (start < bytesRead) held.push(Buffer.from(chunk.subarray(start)));
      heldBytes += bytesRead - start;
      if (heldBytes > MAX_LINE_BYTES) throw new HoopError('verify_failed', 'recording holds a line that is too long');
      onProgress(position);
    }
    if (this.length === 0 || (this.index.events === before && this.#endMs > 0)) return;
    if (this.index.events > before) this.#forgetLast(before);
    const last = (await this.entry(this.length - 1)) as ReplayEntry;
    this.#endMs = Math.max(this.#endMs, atMsOf(last.event));
  }

  /** One event; undefined where there is none. @param event from 0 */
  async entry(event: number): Promise<ReplayEntry | undefined> {
    if (event < 0 || event >= this.length) return undefined;
    const block = this.index.blockOfEvent(event);
    return (await this.#block(block)).entries[event - this.index.firstEvent(block)];
  }

  /** At most `count` events from `from` on; fewer where the recording or what is held at once ends. */
  async read(from: number, count: number): Promise<readonly ReplayEntry[]> {
    const found: ReplayEntry[] = [];
    for (let next = Math.max(0, from); next < Math.min(from + count, this.length);) {
      const block = this.index.blockOfEvent(next);
      const { entries } = await this.#block(block);
      const at = next - this.index.firstEvent(block);
      const taken = entries.slice(at, at + from + count - next);
      if (taken.length === 0) break;
      found.push(...taken);
      next += taken.length;
    }
    return found;
  }

  /** The last event that happened at or before a time; 0 where none did. @param atMs since the epoch */
  async eventAt(atMs: number): Promise<number> {
    if (this.length === 0) return 0;
    const block = this.index.blockOfTime(atMs);
    const { entries } = await this.#block(block);
    const first = this.index.firstEvent(block);
    // Behind the last of a block that is not the last one there may be a pause: the next block starts after `atMs`.
    let found = first;
    for (const [place, { event }] of entries.entries()) if (atMsOf(event) <= atMs) found = first + place;
    return found;
  }

  /**
   * The nearest event that `holds` is true of, in the direction given, without `from` itself.
   *
   * @param landmark only blocks that hold one are read
   * @param signal gives up, with undefined
   */
  async find(
    from: number,
    direction: 1 | -1,
    holds: (entry: ReplayEntry) => boolean,
    options: { readonly landmark?: Landmark | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<number | undefined> {
    const { landmark, signal } = options;
    const first = this.index.blockOfEvent(Math.min(Math.max(from, 0), Math.max(0, this.length - 1)));
    for (let block = first; block >= 0 && block < this.index.length; block += direction) {
      if (signal?.aborted === true) return undefined;
      if (landmark !== undefined && this.index.count(landmark, block) === 0) continue;
      const start = this.index.firstEvent(block);
      const { entries } = await this.#block(block);
      const places = [...entries.keys()];
      for (const place of direction === 1 ? places : places.reverse()) {
        const event = start + place;
        const beyond = direction === 1 ? event > from : event < from;
        if (beyond && holds(entries[place] as ReplayEntry)) return event;
      }
    }
    return undefined;
  }

  /** Every event from one on, block by block. */
  async *entries(from = 0): AsyncGenerator<ReplayEntry> {
    for (let block = this.index.blockOfEvent(from); block < this.index.length; block += 1) {
      const { entries } = await this.#block(block);
      yield* entries.slice(Math.max(0, from - this.index.firstEvent(block)));
    }
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  async #block(block: number): Promise<Block> {
    const kept = this.#blocks.get(block);
    if (kept !== undefined) {
      // To the end of the order in which blocks are forgotten.
      this.#blocks.delete(block);
      this.#blocks.set(block, kept);
      return kept;
    }
    const offset = this.index.offset(block);
    const bytes = this.index.offset(block + 1) - offset;
    const read = { entries: parseLines(await this.#bytes(offset, bytes)), bytes };
    this.#blocks.set(block, read);
    this.#keptBytes += bytes;
    for (const [oldest, { bytes: freed }] of this.#blocks) {
      if (this.#keptBytes <= KEPT_BYTES || oldest === block) break;
      this.#blocks.delete(oldest);
      this.#keptBytes -= freed;
    }
    return read;
  }

  async #bytes(offset: number, count: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(count);
    for (let done = 0; done < count;) {
      const { bytesRead } = await this.file.read(bytes, done, count - done, offset + done);
      if (bytesRead === 0) throw new HoopError('verify_failed', 'the recording became shorter while it was read');
      done += bytesRead;
    }
    return bytes;
  }

  /** A block that grew is read anew. @param events there were */
  #forgetLast(events: number): void {
    if (events === 0) return;
    const block = this.index.blockOfEvent(events - 1);
    this.#keptBytes -= this.#blocks.get(block)?.bytes ?? 0;
    this.#blocks.delete(block);
  }
}

function parseLines(bytes: Buffer): ReplayEntry[] {
  const entries: ReplayEntry[] = [];
  let start = 0;
  for (let end = bytes.indexOf(LINE_END); end >= 0; end = bytes.indexOf(LINE_END, start)) {
    entries.push(parseEntry(bytes.subarray(start, end)));
    start = end + 1;
  }
  return entries;
}
