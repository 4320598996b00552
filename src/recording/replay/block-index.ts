import { timeMs } from './entry.js';

/**
 * Where the events of a recording stand: a row for every block of about 64 KiB, so that 1 GB needs 16,000 rows and
 * less than 1 MB, whatever its events are.
 *
 * A row is six numbers, each what was counted *before* the block starts:
 *
 * | 0 offset in bytes | 1 events | 2 time, ms since the epoch | 3 statements | 4 blocked | 5 approvals |
 *
 * Time never goes back from row to row, whatever the clock of the agent did.
 */
export const ROW_NUMBERS = 6;

/** What can be jumped to. */
export type Landmark = 'statement' | 'blocked' | 'approval';

/** Which number of a row counts a landmark. */
const COUNTED: Readonly<Record<Landmark, number>> = { statement: 3, blocked: 4, approval: 5 };

const BLOCK_BYTES = 64 * 1024;
const FIRST_ROWS = 64;

export class BlockIndex {
  #rows = new Float64Array(FIRST_ROWS * ROW_NUMBERS);
  #length = 0;
  /** Counted so far, to the end of the last whole line. */
  readonly #counted = [0, 0, 0, 0, 0, 0];
  #blockStart = Number.NEGATIVE_INFINITY;

  /** Blocks. */
  get length(): number {
    return this.#length;
  }

  /** Events. */
  get events(): number {
    return this.#counted[1] as number;
  }

  /** Behind the last whole line, in bytes. */
  get endOffset(): number {
    return this.#counted[0] as number;
  }

  total(landmark: Landmark): number {
    return this.#counted[COUNTED[landmark]] as number;
  }

  /** Takes note of the next line, which stands in these bytes from one place up to its end. */
  add(bytes: Buffer, from = 0, to = bytes.length): void {
    const counted = this.#counted as [number, number, number, number, number, number];
    if (counted[0] - this.#blockStart >= BLOCK_BYTES) {
      const at = lineTimeMs(bytes, from, to);
      if (at > counted[2]) counted[2] = at;
      this.#begin();
    }
    const landmark = landmarkOf(bytes, from, to);
    if (landmark !== undefined) counted[COUNTED[landmark] as 3] += 1;
    counted[0] += to - from + 1;
    counted[1] += 1;
  }

  offset(block: number): number {
    return block < this.#length ? this.#number(block, 0) : this.endOffset;
  }

  firstEvent(block: number): number {
    return block < this.#length ? this.#number(block, 1) : this.events;
  }

  /** When a block starts, in ms since the epoch. */
  startMs(block: number): number {
    return this.#number(block, 2);
  }

  /** Landmarks within a block. */
  count(landmark: Landmark, block: number): number {
    const place = COUNTED[landmark];
    const next = block + 1 < this.#length ? this.#number(block + 1, place) : (this.#counted[place] as number);
    return next - this.#number(block, place);
  }

  /** Landmarks before a block. */
  before(landmark: Landmark, block: number): number {
    return this.#number(block, COUNTED[landmark]);
  }

  /** The block that holds an event. @param event from 0 */
  blockOfEvent(event: number): number {
    return this.#lastBlock((block) => this.#number(block, 1) <= event);
  }

  /** The last block that starts at or before a time. @param atMs since the epoch */
  blockOfTime(atMs: number): number {
    return this.#lastBlock((block) => this.#number(block, 2) <= atMs);
  }

  /** All of it, to be kept. */
  save(): Float64Array {
    const saved = new Float64Array((this.#length + 1) * ROW_NUMBERS);
    saved.set(this.#counted);
    saved.set(this.#rows.subarray(0, this.#length * ROW_NUMBERS), ROW_NUMBERS);
    return saved;
  }

  /** What `save` gave. Anything else is undefined. */
  static load(saved: Float64Array): BlockIndex | undefined {
    if (saved.length < ROW_NUMBERS || saved.length % ROW_NUMBERS !== 0) return undefined;
    const index = new BlockIndex();
    for (let place = 0; place < ROW_NUMBERS; place += 1) index.#counted[place] = saved[place] as number;
    index.#rows = saved.slice(ROW_NUMBERS);
    index.#length = saved.length / ROW_NUMBERS - 1;
    for (let at = ROW_NUMBERS; at < index.#rows.length; at += 1) {
      if (!((index.#rows[at] as number) >= (index.#rows[at - ROW_NUMBERS] as number))) return undefined;
    }
    if (index.#length > 0) index.#blockStart = index.#number(index.#length - 1, 0);
    return index;
  }

  #begin(): void {
    const needed = (this.#length + 1) * ROW_NUMBERS;
    if (needed > this.#rows.length) {
      const grown = new Float64Array(Math.max(needed, this.#rows.length * 2));
      grown.set(this.#rows);
      this.#rows = grown;
    }
    this.#rows.set(this.#counted, this.#length * ROW_NUMBERS);
    this.#length += 1;
    this.#blockStart = this.endOffset;
  }

  #number(block: number, place: number): number {
    return this.#rows[block * ROW_NUMBERS + place] ?? 0;
  }

  #lastBlock(holds: (block: number) => boolean): number {
    let low = 0;
    let high = this.#length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (holds(middle)) low = middle;
      else high = middle - 1;
    }
    return Math.max(0, low);
  }
}

/** Where a decision's action and the time of every short event stand, in bytes from the start of the line. */
const START_BYTES = 400;
/** Where its type stands, in bytes from the end: behind `type` sort `usage`, `user` and `via` alone. */
const END_BYTES = 160;
const AT = /"at":"([^"]{20,35})"/;

/**
 * A line is canonical JSON, so that the time stands at its start: nothing but `action` sorts before `at` in what is not
 * long. Where something long does, the whole line is looked through; in a timeline the event's own time is the first.
 */
function lineTimeMs(bytes: Buffer, from: number, to: number): number {
  const start = bytes.toString('latin1', from, Math.min(to, from + START_BYTES));
  const edge = AT.exec(start) ?? AT.exec(bytes.toString('latin1', from, to));
  return timeMs(edge?.[1] ?? '');
}

/**
 * By the bytes at both ends, without parsing: 1 GB has millions of lines. What is jumped to is parsed and looked at
 * again, so that nothing a text could fake here leads further than to the wrong line.
 */
function landmarkOf(bytes: Buffer, from: number, to: number): Landmark | undefined {
  const end = bytes.toString('latin1', Math.max(from, to - END_BYTES), to);
  if (end.includes('"type":"decision"')) {
    const start = bytes.toString('latin1', from, Math.min(to, from + START_BYTES));
    return start.includes('"action":"block"') ? 'blocked' : undefined;
  }
  if (end.includes('"type":"approval.')) return 'approval';
  // What a client asks for when it connects is none of its statements.
  if (end.endsWith('"via":"startup"}') || end.endsWith('"via":"startup"}}')) return undefined;
  if (end.includes('"type":"statement"') || end.includes('"type":"request"')) return 'statement';
  return undefined;
}
