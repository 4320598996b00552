import { mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { appendFile, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface DiskQueueOptions {
  /** A folder of its own; made 0700 where it is missing. */
  readonly dir: string;
  /** Bytes on disk; over them the oldest segment goes. */
  readonly maxBytes: number;
  /** So many lines were given up, the oldest: the queue was full. */
  readonly onDropped: (lines: number) => void;
  /** What was appended is in its file, and can be read. */
  readonly onWritten: () => void;
  /** The folder can't be written; the lines wait in memory and it is tried again. */
  readonly onFault: (error: unknown) => void;
}

/** Lines at the head of a queue, and where they stand. */
export interface QueuedLines {
  readonly segment: number;
  readonly from: number;
  readonly lines: readonly string[];
}

interface Segment {
  readonly id: number;
  bytes: number;
  lines: number;
}

const SEGMENT_BYTES = 1024 * 1024;
/** Lines that wait in memory while the disk does not take them. */
const MAX_UNWRITTEN = 10_000;
const RETRY_MS = 1_000;
const SEGMENT_NAME = /^(\d{12})\.ndjson$/;

/**
 * Lines in order, on disk, for one reader; a restart goes on where the reader was. Bounded: where it is full the oldest go,
 * and that is told. What was appended within the last moments before a crash may be missing, which `agent/missed-news` makes up for.
 *
 * Segments of a mebibyte; at most the first is in memory.
 */
export class DiskQueue {
  readonly #segments: Segment[] = [];
  readonly #segmentBytes: number;
  #unwritten: string[] = [];
  /** The last segment that was begun here. */
  #newest = 0;
  #head: { readonly id: number; readonly lines: string[]; next: number } | undefined;
  /** Where the reader was when the program ended. */
  #resume: { readonly segment: number; readonly line: number };
  #work: Promise<void> = Promise.resolve();
  #flushing = false;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  /** @throws what the system throws where the folder can't be made or read */
  constructor(private readonly options: DiskQueueOptions) {
    this.#segmentBytes = Math.max(1, Math.min(SEGMENT_BYTES, Math.floor(options.maxBytes / 4)));
    mkdirSync(options.dir, { recursive: true, mode: 0o700 });
    this.#resume = readCursor(join(options.dir, 'cursor'));
    const ids = readdirSync(options.dir).flatMap((name) => SEGMENT_NAME.exec(name)?.[1] ?? []);
    for (const id of ids.map(Number).sort((one, other) => one - other)) this.#adopt(id);
  }

  /** Lines that were not read to the end. */
  get length(): number {
    const first = this.#segments[0];
    const read = first === undefined ? 0 : this.#head?.id === first.id ? this.#head.next : this.#readBefore(first.id);
    return this.#segments.reduce((sum, segment) => sum + segment.lines, 0) - read + this.#unwritten.length;
  }

  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  /** Takes a line without a line ending; never waits. */
  append(line: string): void {
    this.#unwritten.push(line);
    if (this.#unwritten.length > MAX_UNWRITTEN) {
      this.#unwritten.shift();
      this.options.onDropped(1);
    }
    this.#flushSoon();
  }

  /** The first lines, at most `most`; none where the queue is empty. They stay until `advance`. */
  async peek(most: number): Promise<QueuedLines | undefined> {
    let found: QueuedLines | undefined;
    await this.#inTurn(async () => {
      for (;;) {
        const head = await this.#openHead();
        if (head === undefined) return;
        if (head.next < head.lines.length) {
          found = { segment: head.id, from: head.next, lines: head.lines.slice(head.next, head.next + most) };
          return;
        }
        if (this.#segments.length === 1) return;
        await this.#removeFirst();
      }
    });
    return found;
  }

  /** Those lines are done with. Nothing happens where they were dropped meanwhile. */
  advance(done: QueuedLines): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#head?.id !== done.segment || this.#head.next !== done.from) return;
      this.#head.next += done.lines.length;
      if (this.#head.next >= this.#head.lines.length) await this.#removeFirst();
      else await this.#writeCursor({ segment: this.#head.id, line: this.#head.next });
    });
  }

  /** Everything appended is written; nothing can be appended afterwards. */
  async close(): Promise<void> {
    clearTimeout(this.#retry);
    await this.#inTurn(() => this.#write());
    this.#closed = true;
  }

  /** Every line appended so far is in its file, unless the disk does not take it. */
  flushed(): Promise<void> {
    return this.#inTurn(() => this.#write());
  }

  #adopt(id: number): void {
    const path = this.#path(id);
    // A segment that was read to its end and could not be removed.
    if (id < this.#resume.segment) {
      void rm(path, { force: true });
      return;
    }
    const lines = wholeLines(readFileSync(path, 'utf8')).length;
    this.#segments.push({ id, bytes: statSync(path).size, lines });
  }

  #readBefore(id: number): number {
    return this.#resume.segment === id ? this.#resume.line : 0;
  }

  /** One thing after the other; a fault is told and stops nothing. */
  #inTurn(task: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(task).catch((error: unknown) => {
      this.options.onFault(error);
    });
    return this.#work;
  }

  #flushSoon(): void {
    if (this.#flushing || this.#closed || this.#retry !== undefined) return;
    this.#flushing = true;
    void this.#inTurn(async () => {
      this.#flushing = false;
      await this.#write();
    });
  }

  async #write(): Promise<void> {
    const lines = this.#unwritten;
    if (lines.length === 0 || this.#closed) return;
    this.#unwritten = [];
    const text = lines.map((line) => `${line}\n`).join('');
    const segment = this.#tail();
    try {
      await appendFile(this.#path(segment.id), text, { mode: 0o600 });
    } catch (error) {
      this.#unwritten = [...lines, ...this.#unwritten];
      // Half a line may stand there now: what follows goes into a file of its own.
      segment.bytes = this.#segmentBytes;
      this.#retry ??= setTimeout(() => {
        this.#retry = undefined;
        this.#flushSoon();
      }, RETRY_MS).unref();
      throw error;
    }
    segment.bytes += Buffer.byteLength(text);
    segment.lines += lines.length;
    if (this.#head?.id === segment.id) this.#head.lines.push(...lines);
    await this.#bound();
    this.options.onWritten();
  }

  /** The segment that is written to. After a start a new one: the last may end in half a line. */
  #tail(): Segment {
    const last = this.#segments.at(-1);
    if (last !== undefined && last.id === this.#newest && last.bytes < this.#segmentBytes) return last;
    this.#newest = Math.max(last?.id ?? 0, this.#resume.segment - 1, this.#newest) + 1;
    const fresh = { id: this.#newest, bytes: 0, lines: 0 };
    this.#segments.push(fresh);
    return fresh;
  }

  async #bound(): Promise<void> {
    while (this.bytes > this.options.maxBytes && this.#segments.length > 1) {
      const [first] = this.#segments;
      if (first === undefined) return;
      const read = this.#head?.id === first.id ? this.#head.next : this.#readBefore(first.id);
      await this.#removeFirst();
      if (first.lines > read) this.options.onDropped(first.lines - read);
    }
  }

  async #openHead(): Promise<{ readonly id: number; readonly lines: string[]; next: number } | undefined> {
    const [first] = this.#segments;
    if (first === undefined) return undefined;
    if (this.#head?.id === first.id) return this.#head;
    const text = await readFile(this.#path(first.id), 'utf8').catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return '';
    });
    const lines = wholeLines(text).slice(0, first.lines);
    this.#head = { id: first.id, lines, next: Math.min(this.#readBefore(first.id), lines.length) };
    return this.#head;
  }

  async #removeFirst(): Promise<void> {
    const first = this.#segments.shift();
    if (first === undefined) return;
    this.#head = undefined;
    // The cursor first: a file that stays behind is then known to be read.
    await this.#writeCursor({ segment: first.id + 1, line: 0 });
    await rm(this.#path(first.id), { force: true });
  }

  async #writeCursor(cursor: { readonly segment: number; readonly line: number }): Promise<void> {
    this.#resume = cursor;
    const path = join(this.options.dir, 'cursor');
    await writeFile(`${path}.new`, JSON.stringify(cursor), { mode: 0o600 });
    await rename(`${path}.new`, path);
  }

  #path(id: number): string {
    return join(this.options.dir, `${String(id).padStart(12, '0')}.ndjson`);
  }
}

function wholeLines(text: string): string[] {
  // What stands behind the last line ending is half a line of a crash, or nothing.
  return text.split('\n').slice(0, -1);
}

/** A cursor that can't be read means that everything comes again: rather twice than never. */
function readCursor(path: string): { readonly segment: number; readonly line: number } {
  try {
    const { segment, line } = JSON.parse(readFileSync(path, 'utf8')) as { segment: unknown; line: unknown };
    if (Number.isSafeInteger(segment) && Number.isSafeInteger(line))
      return { segment: Number(segment), line: Number(line) };
  } catch {
    // Not there yet, or cut off.
  }
  return { segment: 0, line: 0 };
}
