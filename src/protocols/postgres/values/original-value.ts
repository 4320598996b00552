/** Turns what a reversible mask made of a whole value back: the other way of `whole-cell.ts`. */
import { decodeUtf8 } from '../../../core/bytes.js';
import type { KeyedHash, MaskRule } from '../../../core/mask.js';
import { revealTyped, typedPseudonym } from '../../../masking/strategies/pseudonym-typed.js';
import { wholeOriginal } from '../../../masking/strategies/whole-original.js';
import { readArrayText } from './array-text.js';
import { maskParts, readBinary } from './binary-structure.js';
import { withReplaced } from './text-structure.js';
import type { TypeShape } from './type-shapes.js';
import { KINDS, spelledOf, binaryOf } from './whole-cell.js';

const encoder = new TextEncoder();

/** A value in text form, of the type of the masked column. @returns undefined where it is no pseudonym */
export function originalText(rule: MaskRule, shape: TypeShape, text: string, hash: KeyedHash): string | undefined {
  if (shape.form === 'text') return wholeOriginal(rule, text, hash);
  const kind = KINDS.get(shape.oid);
  if (kind === undefined) return undefined;
  const original = revealTyped(kind, text, hash);
  if (original === undefined || typedPseudonym(kind, original, hash, true) !== text) return undefined;
  return original;
}

/** An array of such values in text form; undefined where none of them is a pseudonym. */
export function originalArrayText(rule: MaskRule, shape: TypeShape, text: string, hash: KeyedHash): string | undefined {
  const bytes = encoder.encode(text);
  const structure = readArrayText(bytes);
  if (structure === undefined) return undefined;
  const replaced = structure.leaves.flatMap((leaf) => {
    const original = originalText(rule, shape, decodeUtf8(leaf.value), hash);
    const by = original === undefined ? undefined : structure.write(encoder.encode(original), leaf);
    return by === undefined ? [] : [{ leaf, by }];
  });
  return replaced.length === 0 ? undefined : decodeUtf8(withReplaced(bytes, replaced));
}

/** A bound array in binary form; undefined where none of its elements is a pseudonym, or one can't be written. */
export function originalArray(
  rule: MaskRule,
  shape: TypeShape,
  value: Uint8Array,
  hash: KeyedHash,
  writable: (text: string) => boolean,
): Uint8Array | undefined {
  const structure = readBinary('array', value);
  if (structure === undefined) return undefined;
  let written = true;
  const replaced = maskParts(value, structure, true, (element, oid) => {
    if (shape.form === 'text' && !TEXTS.has(oid)) return undefined;
    const original = originalBinary(rule, shape, element, oid, hash);
    if (original !== undefined && shape.form === 'text') written &&= writable(decodeUtf8(original));
    return original;
  });
  return written ? (replaced ?? undefined) : undefined;
}

/** text, varchar, char(n). */
const TEXTS: ReadonlySet<number> = new Set([25, 1043, 1042]);

/** A bound value in binary form of type `oid`. */
export function originalBinary(
  rule: MaskRule,
  shape: TypeShape,
  value: Uint8Array,
  oid: number,
  hash: KeyedHash,
): Uint8Array | undefined {
  if (shape.form === 'text') {
    const text = utf8(value);
    const original = text === undefined ? undefined : originalText(rule, shape, text, hash);
    return original === undefined ? undefined : encoder.encode(original);
  }
  const spelled = KINDS.get(oid) === undefined ? undefined : spelledOf(oid, value);
  const original = spelled === undefined ? undefined : originalText(rule, shape, spelled, hash);
  return original === undefined ? undefined : (binaryOf(oid, original) ?? undefined);
}

/** How the server spells a value in binary form, or each element of an array; undefined where that is not known. */
export function boundTexts(value: Uint8Array, oid: number, isArray: boolean): readonly string[] | undefined {
  if (!isArray) {
    const text = KINDS.get(oid) === undefined ? utf8(value) : spelledOf(oid, value);
    return text === undefined ? undefined : [text];
  }
  const structure = readBinary('array', value);
  const texts = structure?.parts.map((part) => boundTexts(part.value, part.typeOid, false));
  return texts?.every((text) => text !== undefined) === true ? texts.flat() : undefined;
}

function utf8(value: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
  } catch {
    return undefined;
  }
}
