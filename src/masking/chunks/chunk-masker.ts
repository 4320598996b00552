import type { MaskCounts } from '../../core/mask.js';
import { chunkEngine } from './chunk-engine.js';
import type { ChunkEngine } from './chunk-engine.js';
import { chunkPlanOf, configure, SCANNED } from './chunk-plan.js';
import type { ChunkForm, ChunkPlan } from './chunk-plan.js';
import type { Mask } from '../mask-set.js';

/**
 * How the cells of one column are read.
 *
 * - `text`: masked where it stands, unless it may have a structure (JSON, XML, a record, …)
 * - `decided`: text in which nothing hides but behind a backslash or `&#`; rows with a finding in it are left
 * - `pass`: not looked at
 * - `other`: may hide what no scan of the bytes shows; all rows of such a result are left to the caller
 */
export type ChunkCell = 'pass' | 'text' | 'decided' | 'other';

/** COPY … TO STDOUT, by its options; characters of one byte, in an encoding that keeps ASCII apart. */
export interface ChunkCopy {
  readonly kind: 'text' | 'csv' | 'binary';
  readonly delimiter: number;
  readonly quote: number;
  readonly escape: number;
  readonly nullText: string;
}

/** Masks one whole message by itself, counts what it masked; undefined where the message is malformed. */
export type MaskMessage = (message: Uint8Array) => Uint8Array | undefined;

export interface MaskedChunk {
  /** What goes out, in order. Parts of the chunk itself where nothing changed; nothing is reused later. */
  readonly parts: readonly Uint8Array[];
  /** Messages in it. */
  readonly rows: number;
  /** Where it ends: before `end` only at a CopyData message that is no whole row, or one too large. */
  readonly end: number;
}

/** Masks stretches of whole messages of one form. Made once for a result. */
export interface StretchMasker {
  /**
   * @param bytes holds whole messages of one type in [start,end)
   * @param counts gets one for each masked place, by entity
   * @param slow masks the rows that are not masked here, each alone, in order
   * @returns undefined where a message is malformed: nothing of the stretch may go out
   */
  mask(bytes: Uint8Array, start: number, end: number, counts: MaskCounts, slow: MaskMessage): MaskedChunk | undefined;
}

/** Masks whole chunks as the exact look at each cell would; made once for a plan and shared by sessions. */
export interface ChunkMasker {
  /** For DataRow messages with these columns; undefined where every row needs an exact look. */
  rows(columns: readonly ChunkCell[]): StretchMasker | undefined;
  /**
   * For CopyData messages of whole rows, without a row of names.
   *
   * @param columns where they are known
   * @returns undefined where every row needs an exact look
   */
  copy(format: ChunkCopy, columns?: readonly ChunkCell[]): StretchMasker | undefined;
}

/** PostgreSQL's own bound is 1,664. */
const MAX_COLUMNS = 2_048;
/** None of these can stand inside of an entity but between quotes. */
const CSV_DELIMITERS: ReadonlySet<number> = new Set([0x09, 0x2c, 0x3b, 0x7c]);
const BACKSLASH = 0x5c;
const QUOTE = 0x22;
const KINDS = { pass: 'KIND_PASS', text: 'KIND_TEXT', decided: 'KIND_DECIDED' } as const;
/** What stands for NULL must be nothing that could be found: `\\N`, nothing, a word. */
const HARMLESS_NULL = /^(?:\\N|[A-Za-z]{0,8})$/;
const LEAST_BYTES = 5;

/** @param engine the scanner; another one only in tests */
export function createChunkMasker(masks: readonly Mask[], engine = chunkEngine()): ChunkMasker {
  const plan = chunkPlanOf(masks);
  if (engine === undefined || plan === undefined) return { rows: () => undefined, copy: () => undefined };
  return {
    rows(columns) {
      const cells = cellsOf(engine, columns);
      return cells && new EngineStretch(engine, plan, { kind: 'FORM_ROWS', delimiter: 0, cells });
    },
    copy({ kind, delimiter, quote, escape, nullText }, columns = []) {
      if (kind === 'binary' || delimiter === BACKSLASH || !HARMLESS_NULL.test(nullText)) return undefined;
      if (kind === 'csv' && (quote !== QUOTE || escape !== QUOTE || !CSV_DELIMITERS.has(delimiter))) return undefined;
      const cells = cellsOf(engine, columns);
      const form = kind === 'text' ? 'FORM_COPY_TEXT' : 'FORM_COPY_CSV';
      return cells && new EngineStretch(engine, plan, { kind: form, delimiter, cells });
    },
  };
}

function cellsOf({ layout }: ChunkEngine, columns: readonly ChunkCell[]): Uint8Array | undefined {
  if (columns.length > MAX_COLUMNS || columns.includes('other')) return undefined;
  return Uint8Array.from(columns, (cell) => (cell === 'other' ? 0 : layout(KINDS[cell])));
}

class EngineStretch implements StretchMasker {
  readonly #chunkBytes: number;
  readonly #raw: number;
  readonly #result: number;
  readonly #counts: number;
  readonly #slow: number;
  readonly #out: number;

  constructor(
    private readonly engine: ChunkEngine,
    private readonly plan: ChunkPlan,
    private readonly form: ChunkForm,
  ) {
    const { layout } = engine;
    this.#chunkBytes = layout('CHUNK');
    this.#raw = layout('RAW');
    this.#result = layout('RESULT');
    this.#counts = layout('COUNTS');
    this.#slow = layout('SLOW');
    this.#out = layout('OUT');
  }

  mask(bytes: Uint8Array, start: number, end: number, counts: MaskCounts, slow: MaskMessage): MaskedChunk | undefined {
    const parts: Uint8Array[] = [];
    let rows = 0;
    let kept = start;
    let at = start;
    while (at < end) {
      const stop = this.#knownTo(bytes, at, end);
      const changed = stop > at && this.#run(bytes, at, stop);
      const consumed = stop > at ? this.engine.view.getUint32(this.#result, true) : 0;
      rows += stop > at ? this.engine.view.getUint32(this.#result + 4, true) : 0;
      if (consumed > 0 && !changed) {
        at += consumed;
        continue;
      }
      if (consumed === 0 && this.form.kind !== 'FORM_ROWS') break;
      if (at > kept) parts.push(bytes.subarray(kept, at));
      const taken = consumed > 0 ? consumed : (messageEnd(bytes, at, end) ?? at) - at;
      if (taken === 0) return undefined;
      if (consumed > 0) {
        if (!this.#take(parts, bytes, at, counts, slow)) return undefined;
      } else {
        // Larger than the scanner's memory, malformed, or perhaps with something that the scanner does not know.
        const masked = slow(bytes.subarray(at, at + taken));
        if (masked === undefined) return undefined;
        parts.push(masked);
        rows += 1;
      }
      at += taken;
      kept = at;
    }
    if (at > kept) parts.push(bytes.subarray(kept, at));
    return { parts, rows, end: at };
  }

  /** How far the scanner may look: to the first message in which a kind may stand that it does not know. */
  #knownTo(bytes: Uint8Array, start: number, end: number): number {
    const stop = Math.min(end, start + this.#chunkBytes);
    const { rest } = this.plan;
    if (rest?.mayMatch(bytes, start, stop) !== true) return stop;
    for (let at = start; at < stop;) {
      const next = messageEnd(bytes, at, end);
      if (next === undefined || next > stop) return at === start ? stop : at;
      if (rest.mayMatch(bytes, at, next)) return at;
      at = next;
    }
    return stop;
  }

  #run(bytes: Uint8Array, start: number, end: number): boolean {
    const { engine } = this;
    if (engine.owner !== this) {
      configure(engine, this.plan, this.form);
      engine.owner = this;
    }
    engine.bytes.set(bytes.subarray(start, end), this.#raw);
    return engine.maskChunk(end - start) === 1;
  }

  /** Takes what the scanner wrote, and the rows that it left between; its memory may be used again after that. */
  #take(parts: Uint8Array[], bytes: Uint8Array, start: number, counts: MaskCounts, slow: MaskMessage): boolean {
    const { view } = this.engine;
    for (let index = 0; index < SCANNED.length; index += 1) {
      const count = view.getUint32(this.#counts + 4 * index, true);
      const name = SCANNED[index] as string;
      if (count > 0) counts.set(name, (counts.get(name) ?? 0) + count);
    }
    const out = this.engine.bytes.slice(this.#out, this.#out + view.getUint32(this.#result + 8, true));
    const left: number[] = [];
    const words = 3 * view.getUint32(this.#result + 12, true);
    for (let word = 0; word < words; word += 1) left.push(view.getUint32(this.#slow + 4 * word, true));
    let taken = 0;
    for (let index = 0; index < words; index += 3) {
      const [from, to, place] = left.slice(index, index + 3) as [number, number, number];
      if (place > taken) parts.push(out.subarray(taken, place));
      taken = place;
      const masked = slow(bytes.subarray(start + from, start + to));
      if (masked === undefined) return false;
      parts.push(masked);
    }
    if (out.length > taken) parts.push(out.subarray(taken));
    return true;
  }
}

/** The end of the message at `at`; undefined where its length can't be. */
function messageEnd(bytes: Uint8Array, at: number, end: number): number | undefined {
  if (end - at < LEAST_BYTES) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset + at + 1, 4).getUint32(0);
  return length < 4 || length >= end - at ? undefined : at + 1 + length;
}
