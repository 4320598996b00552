/**
 * Masks values in binary form. What is of no known type, or can't be masked in place, becomes NULL as soon as
 * something might stand in it.
 */
import type { MaskCounts } from '../../../core/mask.js';
import { binaryNumber, spelledAddress, spelledNumber } from './binary-scalars.js';
import { maskParts, readBinary, type BinaryKind, type BinaryStructure } from './binary-structure.js';
import { fitsType } from './scalar-text.js';
import { isText, type TextForms } from './text-forms.js';
import { shapeOf, type Form, type TypeLookup, type TypeShape } from './type-shapes.js';
import { nullWhenFound, unreadable, type Cell, type ValueMasker } from './value-masker.js';

const MAX_DEPTH = 32;

/** Bytes of fixed types, by object id. */
const LENGTHS: Readonly<Record<number, number>> = {
  16: 1,
  18: 1,
  21: 2,
  23: 4,
  26: 4,
  27: 6,
  28: 4,
  29: 4,
  700: 4,
  1082: 4,
  1083: 8,
  1114: 8,
  1184: 8,
  1186: 16,
  1266: 12,
  2278: 0,
  2950: 16,
  3220: 8,
};

const KINDS: Readonly<Partial<Record<Form, BinaryKind>>> = {
  array: 'array',
  vector: 'array',
  composite: 'record',
  range: 'range',
  multirange: 'multirange',
  hstore: 'hstore',
  tsvector: 'tsvector',
};
/** Structures that tell by themselves what they are, where nobody else does. */
const GUESSES: readonly BinaryKind[] = ['array', 'record', 'hstore', 'range', 'multirange'];
/** Types whose bytes don't show what they spell. */
const NUMERIC = 1700;
const FLOAT8 = 701;
const SPELLED = [20, NUMERIC, FLOAT8];

export class BinaryForms {
  constructor(
    private readonly values: ValueMasker,
    private readonly text: TextForms,
    private readonly types: TypeLookup | undefined,
  ) {}

  typed(shape: TypeShape, bytes: Uint8Array, counts: MaskCounts, depth = 0): Cell {
    switch (shape.form) {
      case 'fixed':
        return this.#fixed(LENGTHS[shape.oid], bytes, counts, depth);
      case 'name':
        return this.#fixed(4, bytes, counts, depth);
      case 'text':
        return this.text.free(bytes, counts, depth);
      case 'json':
      case 'xml':
        return this.text.typed(shape, bytes, counts, depth);
      case 'jsonb':
        return withVersionByte(bytes, this.text.json(bytes.subarray(1), counts, depth));
      case 'bytea':
        return this.text.bytes(bytes, counts, depth);
      case 'number':
      case 'money':
        return this.#number(shape.oid, bytes, counts, depth);
      case 'address':
        return this.#address(shape.oid, bytes, counts, depth);
      case 'bits':
      case 'scalar':
        return this.text.mayHold(bytes) ? unreadable(counts) : undefined;
      case 'unknown':
        return this.untyped(bytes, counts, depth);
      default:
        return this.#structured(shape, bytes, counts, depth);
    }
  }

  /** Nobody can tell what these bytes are. */
  untyped(bytes: Uint8Array, counts: MaskCounts, depth = 0): Cell {
    if (depth >= MAX_DEPTH) return unreadable(counts);
    // Nearly every binary form but that of text has bytes in it that no text has.
    const text = isText(bytes);
    if (this.#spells(bytes, text ? [FLOAT8] : SPELLED)) return unreadable(counts);
    if (text) return this.text.free(bytes, counts, depth);
    for (const kind of GUESSES) {
      const structure = readBinary(kind, bytes);
      if (structure === undefined || structure.parts.length === 0) continue;
      const masked = this.#parts(bytes, structure, undefined, counts, depth);
      // That they read as such a structure may be chance.
      if (masked !== undefined) return masked;
    }
    return this.text.mayHold(bytes) ? unreadable(counts) : undefined;
  }

  #spells(bytes: Uint8Array, as: readonly number[]): boolean {
    if (bytes.length < 8) return false;
    const address = spelledAddress(bytes);
    const spelled = as.flatMap((oid) =>
      oid === NUMERIC || bytes.length === 8 ? (spelledNumber(oid, bytes) ?? []) : [],
    );
    return [...spelled, ...(address === undefined ? [] : [address])].some((text) =>
      this.values.mayMatch(text, 0, text.length),
    );
  }

  /** A value of the wrong length, or one that reads as text, is not what the server says it is. */
  #fixed(length: number | undefined, bytes: Uint8Array, counts: MaskCounts, depth: number): Cell {
    if (bytes.length !== length) return nullWhenFound(this.untyped(bytes, counts, depth));
    if (length < 6 || !isText(bytes)) return undefined;
    return nullWhenFound(this.values.maskValue(bytes, 0, bytes.length, counts));
  }

  #number(oid: number, bytes: Uint8Array, counts: MaskCounts, depth: number): Cell {
    const spelled = spelledNumber(oid, bytes);
    if (spelled === undefined) return nullWhenFound(this.untyped(bytes, counts, depth));
    for (const text of spelled) {
      const masked = this.values.maskValue(text, 0, text.length, counts);
      if (masked === undefined) continue;
      return masked !== null && fitsType(oid, masked) ? (binaryNumber(oid, masked) ?? null) : null;
    }
    return undefined;
  }

  #address(oid: number, bytes: Uint8Array, counts: MaskCounts, depth: number): Cell {
    const spelled = spelledAddress(bytes);
    if (spelled === undefined) return nullWhenFound(this.untyped(bytes, counts, depth));
    const masked = this.values.maskValue(spelled, 0, spelled.length, counts);
    if (masked === undefined || masked === null) return masked;
    // Of a network of which bits beyond its mask are set there is none.
    return oid === 869 && bytes.length === 8 && fitsType(oid, masked) ? dottedQuad(bytes, masked) : null;
  }

  #structured(shape: TypeShape, bytes: Uint8Array, counts: MaskCounts, depth: number): Cell {
    if (depth >= MAX_DEPTH) return unreadable(counts);
    const kind = KINDS[shape.form];
    const structure = kind === undefined ? undefined : readBinary(kind, bytes);
    if (structure === undefined) return nullWhenFound(this.untyped(bytes, counts, depth + 1));
    return this.#parts(bytes, structure, shape, counts, depth);
  }

  #parts(
    bytes: Uint8Array,
    structure: BinaryStructure,
    shape: TypeShape | undefined,
    counts: MaskCounts,
    depth: number,
  ): Cell {
    const inPlace = structure.kind !== 'range' && structure.kind !== 'multirange';
    const isText = structure.kind === 'hstore' || structure.kind === 'tsvector';
    return maskParts(bytes, structure, inPlace, (value, typeOid) => {
      if (isText) return this.text.free(value, counts, depth + 1);
      const inside = shapeOf(typeOid === 0 ? (shape?.of ?? 0) : typeOid, this.types);
      return this.typed(inside, value, counts, depth + 1);
    });
  }
}

function withVersionByte(bytes: Uint8Array, cell: Cell): Cell {
  if (cell === undefined || cell === null) return cell;
  const whole = new Uint8Array(cell.length + 1);
  whole[0] = bytes[0] as number;
  whole.set(cell, 1);
  return whole;
}

function dottedQuad(bytes: Uint8Array, text: Uint8Array): Uint8Array | null {
  const quad = String.fromCharCode(...text)
    .split('.')
    .map(Number);
  if (quad.length !== 4) return null;
  const whole = bytes.slice();
  whole.set(quad, 4);
  return whole;
}
