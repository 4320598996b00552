/**
 * How the binary forms of arrays, records, ranges, hstore and tsvector are cut into values and put together.
 *
 *     array       dimensions i32, has NULLs i32, element oid u32, then size i32 and lower bound i32 for each
 *                 dimension, then length i32 (-1 NULL) and bytes for each element
 *     record      count i32, then oid u32, length i32 (-1 NULL) and bytes for each field
 *     range       flags u8, then length i32 and bytes for each bound that is there
 *     multirange  count i32, then length i32 and bytes for each range
 *     hstore      count i32, then key length i32 and bytes, value length i32 (-1 NULL) and bytes
 *     tsvector    count i32, then lexeme NUL, count u16 and so many positions u16
 */
import { concatBytes } from '../../../core/bytes.js';
import { BodyReader } from '../wire/frames.js';
import type { Cell } from './value-masker.js';

export type BinaryKind = 'array' | 'record' | 'range' | 'multirange' | 'hstore' | 'tsvector';

/** A value in a structure: `at` is where its length stands, or, in a tsvector, where it begins. */
interface Part {
  readonly at: number;
  readonly end: number;
  readonly value: Uint8Array;
  /** Of an array's element or a record's field; 0 elsewhere. */
  readonly typeOid: number;
  readonly nullable: boolean;
}

export interface BinaryStructure {
  readonly kind: BinaryKind;
  readonly parts: readonly Part[];
}

const MAX_DIMENSIONS = 6;
const MAX_FIELDS = 1_664;
/** Bits of a range's flags: empty; no lower bound or an endless one; the same for the upper. */
const RANGE_EMPTY = 0x01;
const RANGE_NO_LOWER = 0x08 | 0x20;
const RANGE_NO_UPPER = 0x10 | 0x40;

/** @returns undefined where the bytes are not, to the last of them, that structure */
export function readBinary(kind: BinaryKind, bytes: Uint8Array): BinaryStructure | undefined {
  const reader = new PartReader(bytes);
  switch (kind) {
    case 'array':
      reader.array();
      break;
    case 'record':
      reader.times(MAX_FIELDS, () => {
        const typeOid = reader.body.int32() >>> 0;
        reader.part(typeOid, true);
      });
      break;
    case 'range':
      reader.range();
      break;
    case 'multirange':
      reader.times(Infinity, () => {
        reader.part(0, false);
      });
      break;
    case 'hstore':
      reader.times(Infinity, () => {
        reader.part(0, false);
        reader.part(0, true);
      });
      break;
    case 'tsvector':
      reader.times(Infinity, () => {
        reader.lexeme();
      });
  }
  return reader.body.failed || reader.body.remaining > 0 ? undefined : { kind, parts: reader.parts };
}

class PartReader {
  readonly parts: Part[] = [];
  readonly body: BodyReader;

  constructor(private readonly bytes: Uint8Array) {
    this.body = new BodyReader(bytes, 0);
  }

  array(): void {
    const dimensions = this.body.int32();
    const flags = this.body.int32();
    const typeOid = this.body.int32() >>> 0;
    if (dimensions < 0 || dimensions > MAX_DIMENSIONS || (flags !== 0 && flags !== 1)) this.body.failed = true;
    let count = dimensions === 0 ? 0 : 1;
    for (let index = 0; index < dimensions && !this.body.failed; index += 1) {
      count *= this.body.int32();
      this.body.int32();
    }
    if (count < 0) this.body.failed = true;
    for (let index = 0; index < count && !this.body.failed; index += 1) this.part(typeOid, true);
  }

  range(): void {
    const flags = this.body.byte();
    if ((flags & RANGE_EMPTY) !== 0) return;
    if ((flags & RANGE_NO_LOWER) === 0) this.part(0, false);
    if ((flags & RANGE_NO_UPPER) === 0) this.part(0, false);
  }

  /** A count, and so many times `read`. */
  times(most: number, read: () => void): void {
    const count = this.body.int32();
    if (count < 0 || count > most) this.body.failed = true;
    for (let index = 0; index < count && !this.body.failed; index += 1) read();
  }

  part(typeOid: number, nullable: boolean): void {
    const at = this.#at;
    const length = this.body.int32();
    if (length === -1 && nullable) return;
    const value = this.body.take(length);
    this.parts.push({ at, end: this.#at, value, typeOid, nullable });
  }

  lexeme(): void {
    const at = this.#at;
    const value = this.body.cstringBytes();
    this.parts.push({ at, end: this.#at, value, typeOid: 0, nullable: false });
    this.body.take(2 * this.body.uint16());
  }

  get #at(): number {
    return this.bytes.length - this.body.remaining;
  }
}

/**
 * The structure with each part as `mask` has it; undefined where it leaves all alone, null where one can't
 * stand in it masked.
 *
 * @param inPlace false: a part that is masked makes the whole NULL
 */
export function maskParts(
  bytes: Uint8Array,
  structure: BinaryStructure,
  inPlace: boolean,
  mask: (value: Uint8Array, typeOid: number, index: number) => Cell,
): Cell {
  const written: Uint8Array[] = [];
  let kept = 0;
  let nulls = false;
  for (const [index, part] of structure.parts.entries()) {
    const masked = mask(part.value, part.typeOid, index);
    if (masked === undefined) continue;
    if (!inPlace || (masked === null && !part.nullable)) return null;
    nulls ||= masked === null;
    written.push(bytes.subarray(kept, part.at), ...(structure.kind === 'tsvector' ? lexeme(masked) : prefixed(masked)));
    kept = part.end;
  }
  if (written.length === 0) return undefined;
  written.push(bytes.subarray(kept));
  const whole = concatBytes(written);
  if (structure.kind === 'array' && nulls) whole[7] = 1;
  return whole;
}

function prefixed(value: Uint8Array | null): Uint8Array[] {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setInt32(0, value?.length ?? -1);
  return value === null ? [length] : [length, value];
}

function lexeme(value: Uint8Array | null): Uint8Array[] {
  return value === null ? [] : [value, Uint8Array.of(0)];
}
