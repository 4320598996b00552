/**
 * Masks values in text form: takes the structure apart, masks each leaf as the text it stands for, and puts
 * it together so that the server's own input function takes it. What can't be masked in place becomes NULL.
 */
import type { MaskCounts } from '../../../core/mask.js';
import { maskJsonText } from '../../../masking/json/json-text.js';
import { readArrayText } from './array-text.js';
import { bitBytes } from './bit-text.js';
import { decodeEscaped, decodeHex, encodeHex } from './bytea-text.js';
import { readHstoreText } from './hstore-text.js';
import { loosened, mayHide } from './loose-text.js';
import { readMultirangeText, readRangeText } from './range-text.js';
import { readRecordText } from './record-text.js';
import { fitsType, looksFixed } from './scalar-text.js';
import { COMMA, withReplaced, type Leaf, type TextStructure } from './text-structure.js';
import { readTsvectorText } from './tsvector-text.js';
import { shapeOf, type TypeLookup, type TypeShape } from './type-shapes.js';
import { nullWhenFound, unreadable, type Cell, type ValueMasker } from './value-masker.js';
import { maskXmlText } from './xml-text.js';

/** Quoting doubles what it quotes, so real values end far above this. */
const MAX_DEPTH = 32;
const BOX_ARRAY = 1020;

export class TextForms {
  constructor(
    private readonly values: ValueMasker,
    private readonly types: TypeLookup | undefined,
  ) {}

  /** One whole value of a known type. */
  typed(shape: TypeShape, bytes: Uint8Array, counts: MaskCounts, depth = 0): Cell {
    switch (shape.form) {
      case 'fixed':
        return looksFixed(shape.oid, bytes) ? undefined : nullWhenFound(this.free(bytes, counts, depth));
      case 'json':
      case 'jsonb':
        return this.json(bytes, counts, depth);
      case 'xml':
        return this.#xml(bytes, counts, depth);
      case 'bytea':
        return this.#bytea(bytes, counts, depth);
      case 'money':
        return this.#money(bytes, counts);
      case 'number':
      case 'vector':
      case 'address':
      case 'scalar':
        return this.#scalar(shape, bytes, counts, depth);
      case 'bits':
        return this.#spellsInBits(bytes) ? unreadable(counts) : this.#scalar(shape, bytes, counts, depth);
      case 'text':
        // Without escapes text is masked where it stands, as a scan of whole chunks of rows does.
        return mayHide(bytes, 0, bytes.length)
          ? this.free(bytes, counts, depth)
          : this.values.maskValue(bytes, 0, bytes.length, counts);
      case 'name':
        return this.free(bytes, counts, depth);
      case 'unknown':
        return this.#unknown(bytes, counts, depth);
      default:
        return this.#structured(shape, bytes, counts, depth);
    }
  }

  /**
   * Text of which only its looks tell what it is: JSON, XML, a structure, hex, or just text.
   *
   * @param inside masks the leaves of a structure: as such text again, where nobody says otherwise
   */
  free(
    bytes: Uint8Array,
    counts: MaskCounts,
    depth = 0,
    inside: (leaf: Uint8Array, counts: MaskCounts) => Cell = (leaf, found) => this.free(leaf, found, depth + 1),
  ): Cell {
    if (!mayHide(bytes, 0, bytes.length) && !this.values.mayMatch(bytes, 0, bytes.length)) return undefined;
    if (depth >= MAX_DEPTH) return unreadable(counts);
    const [first, last] = [bytes[0], bytes.at(-1)];
    if (first === 0x22 || first === 0x5b || first === 0x7b || first === 0x20 || first === 0x0a) {
      const masked = this.#jsonOr(bytes, counts, depth);
      if (isFound(masked)) return masked;
    } else if (first === 0x5c) {
      const decoded = decodeHex(bytes, 0, bytes.length);
      const masked = decoded === undefined ? undefined : this.#hex(decoded, counts, depth);
      if (masked !== undefined) return masked;
    } else if (first === 0x3c && last === 0x3e) {
      const masked = this.#xmlOr(bytes, counts, depth);
      if (isFound(masked)) return masked;
    }
    const structure = guessed(bytes, first, last);
    if (structure !== undefined) {
      const masked = attempted(counts, (found) => this.#leaves(bytes, structure, (leaf) => inside(leaf, found)));
      if (isFound(masked)) return masked;
    }
    return this.#loose(bytes, counts);
  }

  /** A field of a COPY whose column nobody knows: text, but for what begins like a structure or holds escapes. */
  untyped(bytes: Uint8Array, counts: MaskCounts): Cell {
    if (STRUCTURE_STARTS.has(bytes[0] ?? 0) || mayHide(bytes, 0, bytes.length)) return this.#unknown(bytes, counts, 0);
    if (this.#spellsInBits(bytes)) return unreadable(counts);
    return this.values.maskValue(bytes, 0, bytes.length, counts);
  }

  /** A type that the catalogue does not tell of, or not yet: it may be a range, which only NULL can stand for. */
  #unknown(bytes: Uint8Array, counts: MaskCounts, depth: number): Cell {
    if (this.#spellsInBits(bytes)) return unreadable(counts);
    const structure = readRangeText(bytes) ?? readMultirangeText(bytes);
    const masked = this.free(bytes, counts, depth, (leaf, found) => this.#unknown(leaf, found, depth + 1));
    return structure !== undefined && structure.leaves.length > 0 ? nullWhenFound(masked) : masked;
  }

  json(bytes: Uint8Array, counts: MaskCounts, depth = 0): Cell {
    if (!mayHide(bytes, 0, bytes.length)) return this.values.maskJson(bytes, 0, bytes.length, counts);
    const masked = this.#jsonOr(bytes, counts, depth);
    return masked === 'malformed' ? nullWhenFound(this.#loose(bytes, counts)) : masked;
  }

  /** Bytes: text where they are UTF-8, else looked through as they are. */
  bytes(bytes: Uint8Array, counts: MaskCounts, depth = 0): Cell {
    if (isText(bytes)) return this.free(bytes, counts, depth);
    return this.mayHold(bytes) ? unreadable(counts) : undefined;
  }

  /** Might something stand in these bytes, in UTF-8 or in an encoding of two bytes a character? */
  mayHold(bytes: Uint8Array): boolean {
    if (this.values.mayMatch(bytes, 0, bytes.length)) return true;
    if (bytes.indexOf(0) === -1) return false;
    const narrow = bytes.filter((byte) => byte !== 0);
    return this.values.mayMatch(narrow, 0, narrow.length);
  }

  #jsonOr(bytes: Uint8Array, counts: MaskCounts, depth: number): Cell | 'malformed' {
    return attempted(counts, (found) =>
      maskJsonText(bytes, 0, bytes.length, (value, from, to) => this.free(value.subarray(from, to), found, depth + 1)),
    );
  }

  #xml(bytes: Uint8Array, counts: MaskCounts, depth: number): Cell {
    const masked = this.#xmlOr(bytes, counts, depth);
    if (masked !== 'malformed') return masked;
    return this.values.mayMatch(bytes, 0, bytes.length) || bytes.indexOf(0x26) !== -1 ? unreadable(counts) : undefined;
  }

  #xmlOr(bytes: Uint8Array, counts: MaskCounts, depth: number): Cell | 'malformed' {
    return attempted(counts, (found) => {
      const masked = maskXmlText(bytes, (text) => this.free(text, found, depth + 1));
      if (masked !== undefined || !this.values.mayMatch(bytes, 0, bytes.length)) return masked;
      // Names of elements and attributes are all that is left to hold something.
      return nullWhenFound(this.values.maskValue(bytes, 0, bytes.length, found));
    });
  }

  #bytea(bytes: Uint8Array, counts: MaskCounts, depth: number): Cell {
    const hex = decodeHex(bytes, 0, bytes.length);
    if (hex !== undefined) return this.#hex(hex, counts, depth);
    const decoded = decodeEscaped(bytes);
    if (decoded === undefined) return nullWhenFound(this.free(bytes, counts, depth));
    return nullWhenFound(this.bytes(decoded, counts, depth));
  }

  #hex(decoded: Uint8Array, counts: MaskCounts, depth: number): Cell {
    const masked = this.bytes(decoded, counts, depth + 1);
    return masked === undefined || masked === null ? masked : encodeHex(masked);
  }

  #scalar(shape: TypeShape, bytes: Uint8Array, counts: MaskCounts, depth: number): Cell {
    const masked = this.values.maskValue(bytes, 0, bytes.length, counts);
    if (masked !== undefined && masked !== null) return fitsType(shape.oid, masked) ? masked : null;
    if (masked === null || !mayHide(bytes, 0, bytes.length)) return masked;
    return nullWhenFound(this.free(bytes, counts, depth));
  }

  #spellsInBits(text: Uint8Array): boolean {
    const bytes = bitBytes(text);
    return bytes !== undefined && this.values.mayMatch(bytes, 0, bytes.length);
  }

  /** Signs of the currency and of thousands stand between the digits. */
  #money(bytes: Uint8Array, counts: MaskCounts): Cell {
    const digits = bytes.filter((byte) => byte >= 0x30 && byte <= 0x39);
    const found = this.values.maskValue(digits, 0, digits.length, counts);
    return nullWhenFound(found === undefined ? this.values.maskValue(bytes, 0, bytes.length, counts) : found);
  }

  #structured(shape: TypeShape, bytes: Uint8Array, counts: MaskCounts, depth: number): Cell {
    if (depth >= MAX_DEPTH) return unreadable(counts);
    const structure = readStructure(shape, bytes);
    if (structure === undefined) return nullWhenFound(this.free(bytes, counts, depth));
    const inside = shapeOf(shape.of, this.types);
    const masked = this.#leaves(bytes, structure, (value, { index }) => {
      const oid = shape.fields?.[index];
      const leafShape = oid === undefined ? inside : shapeOf(oid, this.types);
      return this.typed(leafShape, value, counts, depth + 1);
    });
    return masked === 'malformed' ? unreadable(counts) : masked;
  }

  /** `malformed` where something lies across several leaves, so that the structure is not what it seems. */
  #leaves(
    bytes: Uint8Array,
    structure: TextStructure,
    mask: (value: Uint8Array, leaf: Leaf) => Cell,
  ): Cell | 'malformed' {
    const replaced: { leaf: Leaf; by: Uint8Array }[] = [];
    for (const leaf of structure.leaves) {
      const masked = mask(leaf.value, leaf);
      if (masked === undefined) continue;
      const by = structure.write(masked, leaf);
      if (by === undefined) return null;
      replaced.push({ leaf, by });
    }
    const rest = withReplaced(
      bytes,
      replaced.map(({ leaf }) => ({ leaf, by: NEWLINE })),
    );
    if (this.values.maskValue(rest, 0, rest.length, new Map()) !== undefined) return 'malformed';
    return replaced.length === 0 ? undefined : withReplaced(bytes, replaced);
  }

  /** Text without a structure; where escapes hid something, the text goes out without escapes. */
  #loose(bytes: Uint8Array, counts: MaskCounts): Cell {
    const masked = this.values.maskValue(bytes, 0, bytes.length, counts);
    if (masked === null) return null;
    const plain = loosened(masked ?? bytes);
    if (plain === (masked ?? bytes)) return masked;
    const found = this.values.maskValue(plain, 0, plain.length, counts);
    return found === undefined ? masked : found;
  }
}

const NEWLINE = Uint8Array.of(0x0a);
/** `{`, `[` and `"`: JSON, arrays, ranges, hstore. */
const STRUCTURE_STARTS: ReadonlySet<number> = new Set([0x7b, 0x5b, 0x22]);

function readStructure(shape: TypeShape, bytes: Uint8Array): TextStructure | undefined {
  switch (shape.form) {
    case 'array':
      return readArrayText(bytes, shape.oid === BOX_ARRAY ? 0x3b : COMMA);
    case 'composite':
      return readRecordText(bytes);
    case 'range':
      return readRangeText(bytes);
    case 'multirange':
      return readMultirangeText(bytes);
    case 'hstore':
      return readHstoreText(bytes);
    case 'tsvector':
      return readTsvectorText(bytes);
    default:
      return undefined;
  }
}

function guessed(bytes: Uint8Array, first: number | undefined, last: number | undefined): TextStructure | undefined {
  if ((first === 0x7b || first === 0x5b) && last === 0x7d) return readArrayText(bytes);
  if (first === 0x28 && last === 0x29) return readRecordText(bytes);
  if (first === 0x22) return readHstoreText(bytes);
  return undefined;
}

function isFound(masked: Cell | 'malformed'): masked is Uint8Array | null {
  return masked !== 'malformed' && masked !== undefined;
}

/** Counts of an attempt that comes to nothing are not kept. */
function attempted(counts: MaskCounts, attempt: (found: MaskCounts) => Cell | 'malformed'): Cell | 'malformed' {
  const found: MaskCounts = new Map();
  const masked = attempt(found);
  if (masked !== 'malformed') for (const [name, more] of found) counts.set(name, (counts.get(name) ?? 0) + more);
  return masked;
}

/** UTF-8 without control characters but tab, line feed and carriage return. */
export function isText(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) return false;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
