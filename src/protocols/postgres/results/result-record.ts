import { decodeUtf8 } from '../../../core/bytes.js';
import type { RecordedEvent } from '../../../core/events.js';
import { DigestingOutput, type RecordBounds, type RunningHash } from '../../../core/output-digest.js';
import { int32, uint16 } from '../wire/frames.js';

const MAX_CELL_CHARS = 1024;

/** How much of a result is kept in the record; the true size, and the hash of all of it, are stated beside that. */
export interface ResultBounds extends RecordBounds {
  readonly newHash: () => RunningHash;
}

/** Gathers what the record keeps of one result: bounded, masked rows and the true counts. */
export class ResultRecord {
  rows = 0;
  bytes = 0;
  readonly #kept: (string | null)[][] = [];
  readonly #digest: DigestingOutput;
  #chars = 0;
  #cut = false;

  constructor(
    readonly statement: number,
    private readonly columns:
      readonly { readonly name: string; readonly format: number; readonly typeOid: number }[] | undefined,
    private readonly startedMs: number,
    private readonly bounds: ResultBounds,
    /** False where the record is masked further than what the client gets: a hash of that could be guessed from. */
    hashes: boolean,
  ) {
    this.#digest = new DigestingOutput(hashes ? bounds.newHash : undefined, bounds.hashBytes);
  }

  /** Are its columns known? */
  get described(): boolean {
    return this.columns !== undefined;
  }

  /** Are more rows wanted? When not, rows need only be counted. */
  get wantsRows(): boolean {
    const { rows, bytes } = this.bounds;
    return this.columns !== undefined && this.#kept.length < rows && this.#chars < bytes;
  }

  /** What the client gets of the rows, as it goes out. */
  passed(bytes: Uint8Array): void {
    this.#digest.take(bytes);
  }

  /** @param row a whole DataRow, masked */
  keep(row: Uint8Array): void {
    const cells: (string | null)[] = [];
    let at = 7;
    for (let index = 0; index < uint16(row, 5); index += 1) {
      const length = int32(row, at);
      at += 4;
      cells.push(length === -1 ? null : this.#cell(row.subarray(at, at + length), index));
      at += Math.max(0, length);
    }
    this.#kept.push(cells);
  }

  #cell(bytes: Uint8Array, index: number): string {
    const column = this.columns?.[index];
    const cut = bytes.length > MAX_CELL_CHARS ? bytes.subarray(0, MAX_CELL_CHARS) : bytes;
    const text = column?.format === 1 && !isText(column.typeOid) ? binaryText(bytes, column.typeOid) : decodeUtf8(cut);
    this.#chars += text.length;
    if (bytes.length > cut.length) this.#cut = true;
    return bytes.length > cut.length ? `${text}… (${String(bytes.length)} B)` : text;
  }

  /** The events that close this result. */
  events(end: {
    readonly tag?: string;
    readonly nowMs: number;
    readonly masked: ReadonlyMap<string, number>;
    readonly error?: { readonly code: string; readonly message: string };
  }): RecordedEvent[] {
    const events: RecordedEvent[] = [];
    const digest = this.#cut || this.rows > this.#kept.length ? this.#digest.digest() : undefined;
    if (this.columns !== undefined) {
      events.push({
        type: 'output',
        statement: this.statement,
        columns: namesOf(this.columns),
        rows: this.#kept,
        totalRows: this.rows,
      });
    }
    events.push({
      type: 'result',
      statement: this.statement,
      ...(end.tag === undefined ? {} : { tag: end.tag }),
      rows: this.rows,
      bytes: this.bytes,
      ...(digest === undefined ? {} : { digest }),
      ...(end.masked.size === 0 ? {} : { masked: Object.fromEntries(end.masked) }),
      durationMs: Math.max(0, Math.round((end.nowMs - this.startedMs) * 1000) / 1000),
      ...(end.error === undefined ? {} : { error: end.error }),
    });
    return events;
  }
}

const names = new WeakMap<object, readonly string[]>();

/** The same array for the same columns. */
function namesOf(columns: readonly { readonly name: string }[]): readonly string[] {
  let known = names.get(columns);
  if (known === undefined) names.set(columns, (known = columns.map((column) => column.name)));
  return known;
}

const TEXT_TYPES = new Set([25, 1043, 1042, 19, 705, 142, 114]);

function isText(typeOid: number): boolean {
  return TEXT_TYPES.has(typeOid);
}

function binaryText(bytes: Uint8Array, typeOid: number): string {
  if (typeOid === 16) return bytes[0] === 1 ? 't' : 'f';
  if (
    (typeOid === 21 && bytes.length === 2) ||
    (typeOid === 23 && bytes.length === 4) ||
    (typeOid === 20 && bytes.length === 8)
  ) {
    let value = BigInt(((bytes[0] as number) << 24) >> 24);
    for (const byte of bytes.subarray(1)) value = (value << 8n) | BigInt(byte);
    return value.toString();
  }
  return `(${String(bytes.length)} B binary)`;
}
