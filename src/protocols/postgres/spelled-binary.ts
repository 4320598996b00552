/**
 * Spells binary values as the text they stand for, so that a scanner of text can look at them:
 * a card number in a binary `numeric` or `float8` shows in none of its bytes.
 *
 *     numeric   count u16, weight i16, sign u16, scale u16, then base-10,000 digits u16 each
 *     array     dimensions i32, flags i32, element oid u32, then size i32 and lower bound i32 for each
 *               dimension, then length i32 (-1 NULL) and bytes for each element
 *     record    count i32, then oid u32, length i32 (-1 NULL) and bytes for each field
 */
import { BodyReader, uint32 } from './frames.js';

const encoder = new TextEncoder();

/** Bounds of ranges are values of their own, with flags between: int4, num, int8 ranges and multiranges. */
const RANGES = new Set([3904, 3906, 3926, 4451, 4532, 4536]);
/** float8, and shapes made of it: point, lseg, path, box, polygon, line, circle. */
const FLOATS = new Set([701, 600, 601, 602, 603, 604, 628, 718]);
const MAX_DEPTH = 8;

/**
 * @returns the parts as text bytes; raw bytes where a part is of a type whose bytes are read as they
 *   are; undefined where nobody can tell what stands inside
 */
export function spelledBinary(typeOid: number, bytes: Uint8Array, depth = 0): Uint8Array[] | undefined {
  if (depth > MAX_DEPTH || RANGES.has(typeOid)) return undefined;
  if (typeOid === 20) return bytes.length === 8 ? [encoder.encode(bigInteger(bytes).toString())] : undefined;
  if (typeOid === 1700) return numericText(bytes);
  if (FLOATS.has(typeOid)) return floatTexts(bytes);
  if (typeOid === 869 || typeOid === 650) return addressText(bytes);
  const inner = arrayParts(bytes) ?? recordParts(bytes);
  if (inner === undefined) return [bytes];
  // The bytes as they are too: that they read as an array or a record may be chance.
  const spelled: Uint8Array[] = [bytes];
  for (const part of inner) {
    const more = spelledBinary(part.typeOid, part.bytes, depth + 1);
    if (more === undefined) return undefined;
    spelled.push(...more);
  }
  return spelled;
}

function bigInteger(bytes: Uint8Array): bigint {
  return BigInt.asIntN(64, (BigInt(uint32(bytes, 0)) << 32n) | BigInt(uint32(bytes, 4)));
}

function numericText(bytes: Uint8Array): Uint8Array[] | undefined {
  const reader = new BodyReader(bytes, 0);
  const count = reader.uint16();
  const weight = (reader.uint16() << 16) >> 16;
  const sign = reader.uint16();
  const scale = reader.uint16();
  const digits = Array.from({ length: Math.min(count, reader.remaining >> 1) }, () => reader.uint16());
  if (reader.failed || digits.length !== count || reader.remaining > 0) return undefined;
  const group = (index: number): string => String(digits[index] ?? 0).padStart(4, '0');
  // Only as far as digits go: zeros without end spell nothing.
  let whole = '';
  for (let index = 0; index <= Math.min(weight, count + 8); index += 1) whole += group(index);
  let fraction = '';
  for (let index = Math.max(0, weight + 1); index < count; index += 1) fraction += group(index);
  const text = `${sign === 0x4000 ? '-' : ''}${whole.replace(/^0+(?=\d)/, '') || '0'}${scale === 0 ? '' : `.${fraction.slice(0, scale).padEnd(Math.min(scale, 8), '0')}`}`;
  return [encoder.encode(text)];
}

/** Whatever stands before the numbers (a count, a closed flag) is shorter than one of them. */
function floatTexts(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const texts: Uint8Array[] = [];
  for (let at = bytes.length % 8; at < bytes.length; at += 8) texts.push(encoder.encode(String(view.getFloat64(at))));
  return texts;
}

function addressText(bytes: Uint8Array): Uint8Array[] | undefined {
  const address = bytes.subarray(4);
  if (bytes[3] !== address.length) return undefined;
  if (address.length === 4) return [encoder.encode(address.join('.'))];
  if (address.length !== 16) return undefined;
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((address[2 * index] as number) << 8) | (address[2 * index + 1] as number)).toString(16),
  );
  return [encoder.encode(groups.join(':'))];
}

interface Part {
  readonly typeOid: number;
  readonly bytes: Uint8Array;
}

function arrayParts(bytes: Uint8Array): Part[] | undefined {
  const reader = new BodyReader(bytes, 0);
  const dimensions = reader.int32();
  const flags = reader.int32();
  const typeOid = reader.int32() >>> 0;
  if (reader.failed || dimensions < 0 || dimensions > 6 || (flags !== 0 && flags !== 1)) return undefined;
  reader.take(8 * dimensions);
  return partsToTheEnd(reader, () => typeOid);
}

function recordParts(bytes: Uint8Array): Part[] | undefined {
  const reader = new BodyReader(bytes, 0);
  const count = reader.int32();
  const parts = partsToTheEnd(reader, () => reader.int32() >>> 0);
  return count < 0 || count > 1_664 || parts === undefined ? undefined : parts;
}

function partsToTheEnd(reader: BodyReader, typeOf: () => number): Part[] | undefined {
  const parts: Part[] = [];
  while (reader.remaining > 0 && !reader.failed) {
    const typeOid = typeOf();
    const length = reader.int32();
    if (length !== -1) parts.push({ typeOid, bytes: reader.take(length) });
  }
  return reader.failed ? undefined : parts;
}
