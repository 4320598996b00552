import { concatBytes } from '../../../core/bytes.js';
import type { JsonMask, KeyedHash, MaskCounts, MaskRule } from '../../../core/mask.js';
import { readArrayText } from './array-text.js';
import { BinaryForms } from './binary-forms.js';
import { maskParts, readBinary } from './binary-structure.js';
import { maskDocument, type DocumentMasker } from './json-document.js';
import { TextForms } from './text-forms.js';
import { withReplaced } from './text-structure.js';
import { shapeOf, type TypeLookup, type TypeShape } from './type-shapes.js';
import { count, unreadable, type Cell, type MaskWhole, type ValueMasker } from './value-masker.js';
import { KINDS, wholeCell } from './whole-cell.js';

/** A column as the wire or the catalogue tells it. */
export interface CellColumn {
  readonly name: string;
  readonly typeOid: number;
  /** 0 text, 1 binary. */
  readonly format: number;
  /** Set where the whole value is masked whatever it holds. */
  readonly rule?: MaskRule | undefined;
}

export interface CellMaskerOptions {
  /** Undefined where only columns are masked whole. */
  readonly values: ValueMasker | undefined;
  readonly counts: MaskCounts;
  /** Needed where a column has a rule: without it such a value is NULL. */
  readonly maskWhole?: MaskWhole | undefined;
  readonly hash?: KeyedHash | undefined;
  /** What the catalogue tells of types that are not built in. */
  readonly types?: TypeLookup | undefined;
}

const JSON_TYPE = 114;
const JSONB = 3802;
const isJson = (oid: number): boolean => oid === JSON_TYPE || oid === JSONB;

/** The first byte of jsonb in binary form. */
const JSONB_VERSION = 1;

/** Masks single values, of whatever type and in either format. */
export class CellMasker {
  readonly #text: TextForms | undefined;
  readonly #binary: BinaryForms | undefined;

  constructor(private readonly options: CellMaskerOptions) {
    const { values, types } = options;
    if (values === undefined) return;
    this.#text = new TextForms(values, types);
    this.#binary = new BinaryForms(values, this.#text, types);
  }

  shapeOf(typeOid: number): TypeShape {
    return shapeOf(typeOid, this.options.types);
  }

  /** @param shape of the column's type */
  mask(column: CellColumn, shape: TypeShape, value: Uint8Array): Cell {
    const { counts, maskWhole, hash } = this.options;
    const { rule, format, name: label } = column;
    if (rule === undefined)
      return format === 1 ? this.#binary?.typed(shape, value, counts) : this.#text?.typed(shape, value, counts);
    if (rule.document !== undefined) {
      if (isJson(shape.oid) || shape.form === 'text')
        return this.#document(rule.document, shape.oid, format, value, label);
      if (shape.form === 'array' && isJson(shape.of) && rule.document.kind === 'list')
        return this.#documents(rule.document.item, shape.of, format, value);
    }
    count(counts, rule.name);
    if (maskWhole === undefined || hash === undefined) return null;
    return wholeCell({ rule, shape, format, value, label, maskWhole, hash });
  }

  /** An array of documents; NULLs in it stay. */
  #documents(mask: JsonMask, typeOid: number, format: number, value: Uint8Array): Cell {
    const { counts } = this.options;
    const masked = (item: Uint8Array): Cell => this.#document(mask, typeOid, format, item);
    if (format === 1) {
      const structure = readBinary('array', value);
      const known = structure?.parts.every((part) => part.typeOid === typeOid) === true;
      return known ? maskParts(value, structure, true, masked) : unreadable(counts);
    }
    const structure = readArrayText(value);
    if (structure === undefined) return unreadable(counts);
    const replaced = structure.leaves.flatMap((leaf) => {
      const cell = masked(leaf.value);
      return cell === undefined ? [] : [{ leaf, by: structure.write(cell, leaf) }];
    });
    const written = replaced.flatMap(({ leaf, by }) => (by === undefined ? [] : [{ leaf, by }]));
    return written.length < replaced.length ? unreadable(counts) : withReplaced(value, written);
  }

  #document(mask: JsonMask, typeOid: number, format: number, value: Uint8Array, name = 'masked'): Cell {
    const { counts, maskWhole, hash } = this.options;
    // In binary form of jsonb a byte that tells the version comes first.
    const versioned = format === 1 && typeOid === JSONB;
    // No row, no document.
    if (value.length === 0) return undefined;
    if (maskWhole === undefined || hash === undefined || (versioned && value[0] !== JSONB_VERSION)) return null;
    const masker: DocumentMasker = {
      free: (token) => this.#text?.json(token, counts),
      ruled: (rule, text, label) => {
        count(counts, rule.name);
        return text === undefined ? null : maskWhole(rule, text, label, hash);
      },
      typed: (rule, oid, text) => {
        const shape = this.shapeOf(oid);
        if (rule.strategy !== 'hash' || !KINDS.has(shape.oid)) return undefined;
        count(counts, rule.name);
        return wholeCell({ rule, shape, format: 0, value: text, label: name, maskWhole, hash });
      },
    };
    const masked = maskDocument(versioned ? value.subarray(1) : value, mask, masker, name);
    if (masked === null) return unreadable(counts);
    return versioned ? concatBytes([value.subarray(0, 1), masked]) : masked;
  }

  /** A value of which nobody knows the type. */
  maskUntyped(format: number, value: Uint8Array): Cell {
    const { counts } = this.options;
    return format === 1 ? this.#binary?.untyped(value, counts) : this.#text?.untyped(value, counts);
  }
}
