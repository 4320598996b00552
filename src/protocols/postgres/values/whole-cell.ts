/**
 * Masks the whole value of a column whatever it holds. Text goes out as its strategy has it; a value of
 * another type keeps its type: a pseudonym of that type under `hash`, else NULL.
 */
import type { KeyedHash, MaskRule } from '../../../core/mask.js';
import { typedPseudonym, type TypedKind } from '../../../masking/strategies/pseudonym-typed.js';
import { binaryNumber, spelledNumber } from './binary-scalars.js';
import { fitsType } from './scalar-text.js';
import type { TypeShape } from './type-shapes.js';
import type { MaskWhole } from './value-masker.js';

/** Types whose pseudonyms are of the type itself. */
export const KINDS: ReadonlyMap<number, TypedKind> = new Map([
  [21, 'integer'],
  [23, 'integer'],
  [20, 'integer'],
  [1700, 'integer'],
  [2950, 'uuid'],
  [1082, 'date'],
]);
const INTEGER_BYTES: Readonly<Record<number, number>> = { 21: 2, 23: 4, 20: 8 };
const BPCHAR = 1042;
const NUMERIC = 1700;
const SPACE = 0x20;
const DAY_MS = 86_400_000;
/** Day 0 of a binary date. */
const EPOCH_MS = Date.UTC(2000, 0, 1);

const encoder = new TextEncoder();

export interface WholeCell {
  readonly rule: MaskRule;
  readonly shape: TypeShape;
  /** 0 text, 1 binary. */
  readonly format: number;
  readonly value: Uint8Array;
  /** What `redact` shows in brackets. */
  readonly label: string;
  readonly maskWhole: MaskWhole;
  readonly hash: KeyedHash;
}

export function wholeCell(cell: WholeCell): Uint8Array | null {
  const { rule, shape, value, label, hash } = cell;
  if (shape.form === 'text') {
    // The spaces that fill up a char(n) belong to the column, not to the value.
    return cell.maskWhole(rule, shape.oid === BPCHAR ? withoutPadding(value) : value, label, hash);
  }
  const kind = KINDS.get(shape.oid);
  if (rule.strategy !== 'hash' || kind === undefined) return null;
  const spelled = cell.format === 1 ? spelledOf(shape.oid, value) : String.fromCharCode(...value.subarray(0, 64));
  const pseudonym = spelled === undefined ? undefined : typedPseudonym(kind, spelled, hash, rule.reversible);
  if (pseudonym === undefined) return null;
  return cell.format === 1 ? binaryOf(shape.oid, pseudonym) : encoder.encode(pseudonym);
}

function withoutPadding(value: Uint8Array): Uint8Array {
  let end = value.length;
  while (end > 0 && value[end - 1] === SPACE) end -= 1;
  return value.subarray(0, end);
}

/** A binary value of one of those types in its text form. */
export function spelledOf(oid: number, value: Uint8Array): string | undefined {
  if (oid === NUMERIC) {
    const [text] = spelledNumber(oid, value) ?? [];
    return text === undefined ? undefined : String.fromCharCode(...text);
  }
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  if (oid === 2950) return value.length === 16 ? hyphenated(value) : undefined;
  if (oid === 1082) return value.length === 4 ? dateText(view.getInt32(0)) : undefined;
  if (value.length !== INTEGER_BYTES[oid]) return undefined;
  if (value.length === 8) return view.getBigInt64(0).toString();
  return String(value.length === 4 ? view.getInt32(0) : view.getInt16(0));
}

/** The binary form of a value in text form. @returns null where it has none */
export function binaryOf(oid: number, text: string): Uint8Array | null {
  if (oid === 2950) return Uint8Array.from(text.replaceAll('-', '').match(/../g) ?? [], (pair) => parseInt(pair, 16));
  if (oid === 1082) return integerBytes(BigInt((Date.parse(`${text}T00:00:00Z`) - EPOCH_MS) / DAY_MS), 4);
  const bytes = INTEGER_BYTES[oid];
  if (bytes !== undefined) return integerBytes(BigInt(text), bytes);
  const digits = encoder.encode(text);
  return fitsType(oid, digits) ? (binaryNumber(oid, digits) ?? null) : null;
}

function integerBytes(value: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, value);
  return bytes.subarray(8 - length);
}

function hyphenated(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** Endless dates are of no day. */
function dateText(days: number): string | undefined {
  const date = new Date(EPOCH_MS + days * DAY_MS);
  return Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9999 || date.getUTCFullYear() < 0
    ? undefined
    : date.toISOString().slice(0, 10);
}
