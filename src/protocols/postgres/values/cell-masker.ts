import { concatBytes } from '../../../core/bytes.js';
import type { JsonMask, KeyedHash, MaskCounts, MaskRule } from '../../../core/mask.js';
import { BinaryForms } from './binary-forms.js';
import { maskDocument } from './json-document.js';
import { TextForms } from './text-forms.js';
import { shapeOf, type TypeLookup, type TypeShape } from './type-shapes.js';
import { count, unreadable, type Cell, type MaskWhole, type ValueMasker } from './value-masker.js';
import { wholeCell } from './whole-cell.js';

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

/** In text a document stands by a cast. */
const HOLDS_DOCUMENTS: ReadonlySet<string> = new Set(['json', 'jsonb', 'text']);

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
    if (rule.document !== undefined && HOLDS_DOCUMENTS.has(shape.form))
      return this.#document(rule.document, format === 1 && shape.form === 'jsonb', value);
    count(counts, rule.name);
    if (maskWhole === undefined || hash === undefined) return null;
    return wholeCell({ rule, shape, format, value, label, maskWhole, hash });
  }

  /** @param versioned a byte that tells the version comes first */
  #document(mask: JsonMask, versioned: boolean, value: Uint8Array): Cell {
    const { counts, maskWhole, hash } = this.options;
    // No row, no document.
    if (value.length === 0) return undefined;
    if (maskWhole === undefined || hash === undefined || (versioned && value[0] !== JSONB_VERSION)) return null;
    const masked = maskDocument(versioned ? value.subarray(1) : value, mask, {
      free: (token) => this.#text?.json(token, counts),
      ruled: (rule, text, label) => {
        count(counts, rule.name);
        return text === undefined ? null : maskWhole(rule, text, label, hash);
      },
    });
    if (masked === null) return unreadable(counts);
    return versioned ? concatBytes([value.subarray(0, 1), masked]) : masked;
  }

  /** A value of which nobody knows the type. */
  maskUntyped(format: number, value: Uint8Array): Cell {
    const { counts } = this.options;
    return format === 1 ? this.#binary?.untyped(value, counts) : this.#text?.untyped(value, counts);
  }
}
