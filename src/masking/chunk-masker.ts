import type { MaskCounts } from '../core/mask.js';
import { chunkEngine } from './chunk-engine.js';
import type { ChunkEngine } from './chunk-engine.js';
import { chunkPlanOf, configure, SCANNED } from './chunk-plan.js';
import type { ChunkForm, ChunkPlan } from './chunk-plan.js';
import type { Mask } from './mask-set.js';

/**
 * How the cells of one column are read: `pass` is not looked at, `text` is masked where it stands; rows with a
 * finding in `number` or `json` are left to the caller, and all rows of a result that has a column of `other`.
 */
export type ChunkCell = 'pass' | 'text' | 'number' | 'json' | 'other';

/** COPY … TO STDOUT, by its options; characters of one byte. */
export interface ChunkCopy {
  readonly kind: 'text' | 'csv' | 'binary';
  readonly delimiter: number;
  readonly quote: number;
  readonly escape: number;
}

/** Masks one whole message by itself, counts what it masked; undefined where the message is malformed. */
export type MaskMessage = (message: Uint8Array) => Uint8Array | undefined;

export interface MaskedChunk {
  /** What goes out, in order. Parts of the chunk itself where nothing changed; nothing is reused later. */
  readonly parts: readonly Uint8Array[];
  /** Messages in it. */
  readonly rows: number;
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
  /** For CopyData messages of one row each; undefined where every row needs an exact look. */
  copy(format: ChunkCopy): StretchMasker | undefined;
}

/** PostgreSQL's own bound is 1,664. */
const MAX_COLUMNS = 2_048;
/** None of these can stand inside of an entity but between quotes. */
const CSV_DELIMITERS: ReadonlySet<number> = new Set([0x09, 0x2c, 0x3b, 0x7c]);
const BACKSLASH = 0x5c;
const QUOTE = 0x22;
const NO_CELLS = new Uint8Array(0);
const KINDS = { pass: 'KIND_PASS', text: 'KIND_TEXT', number: 'KIND_DECIDED', json: 'KIND_JSON' } as const;
const LEAST_BYTES = 5;

/** @param engine the scanner; another one only in tests */
export function createChunkMasker(masks: readonly Mask[], engine = chunkEngine()): ChunkMasker {
  const plan = chunkPlanOf(masks);
  if (engine === undefined || plan === undefined) return { rows: () => undefined, copy: () => undefined };
  return {
    rows(columns) {
      if (columns.length > MAX_COLUMNS || columns.includes('other')) return undefined;
      const cells = Uint8Array.from(columns, (cell) => (cell === 'other' ? 0 : engine.layout(KINDS[cell])));
      return new EngineStretch(engine, plan, {
        kind: 'FORM_ROWS',
        delimiter: 0,
        cells,
        json: columns.includes('json'),
      });
    },
    copy({ kind, delimiter, quote, escape }) {
      if (kind === 'binary' || delimiter === BACKSLASH) return undefined;
      if (kind === 'csv' && (quote !== QUOTE || escape !== QUOTE || !CSV_DELIMITERS.has(delimiter))) return undefined;
      const form = kind === 'text' ? 'FORM_COPY_TEXT' : 'FORM_COPY_CSV';
      return new EngineStretch(engine, plan, { kind: form, delimiter, cells: NO_CELLS, json: false });
    },
  };
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
    for (let at = start; at < end;) {
      const changed = this.#run(bytes, at, Math.min(end, at + this.#chunkBytes));
      const consumed = this.engine.view.getUint32(this.#result, true);
      rows += this.engine.view.getUint32(this.#result + 4, true);
      if (consumed > 0 && !changed) {
        at += consumed;
        continue;
      }
      if (at > kept) parts.push(bytes.subarray(kept, at));
      if (consumed > 0) {
        if (!this.#take(parts, bytes, at, counts, slow)) return undefined;
        at += consumed;
      } else {
        // Larger than the scanner's memory, or malformed.
        const to = messageEnd(bytes, at, end);
        const masked = to === undefined ? undefined : slow(bytes.subarray(at, to));
        if (to === undefined || masked === undefined) return undefined;
        parts.push(masked);
        rows += 1;
        at = to;
      }
      kept = at;
    }
    if (end > kept) parts.push(bytes.subarray(kept, end));
    return { parts, rows };
  }

  #run(bytes: Uint8Array, start: number, end: number): boolean {
    const { engine } = this;
    if (engine.owner !== this) {
      configure(engine, this.plan, this.form);
      engine.owner = this;
    }
    engine.bytes.set(bytes.subarray(start, end), this.#raw);
    return engine.maskChunk(end - start, this.form.cells.length) === 1;
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
