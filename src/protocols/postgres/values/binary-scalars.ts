/**
 * Spells binary scalars as the text they stand for, so that a scanner of text can look at them: a card
 * number in a binary `numeric` or `float8` shows in none of its bytes.
 *
 *     numeric   count u16, weight i16, sign u16, scale u16, then base-10,000 digits u16 each
 *     inet      family u8, bits u8, is cidr u8, length u8, then the address
 */
import { BodyReader, uint32 } from '../wire/frames.js';

const encoder = new TextEncoder();

/** float8, and shapes made of it: point, lseg, path, box, polygon, line, circle. */
const FLOATS = new Set([701, 600, 601, 602, 603, 604, 628, 718]);
/** int8, money (in cents), xid8. */
const INTEGERS = new Set([20, 790, 5069]);
const SNAPSHOTS = new Set([2970, 5038]);
const FAMILY_4 = 2;
const FAMILY_6 = 3;

const INT4 = 23;

/** @returns the parts as text; undefined where these are no bytes of that type */
export function spelledNumber(oid: number, bytes: Uint8Array): Uint8Array[] | undefined {
  if (INTEGERS.has(oid)) return bytes.length === 8 ? [encoder.encode(bigInteger(bytes).toString())] : undefined;
  if (oid === INT4) return bytes.length === 4 ? [encoder.encode(String(uint32(bytes, 0) | 0))] : undefined;
  if (oid === 1700) return numericText(bytes);
  if (FLOATS.has(oid)) return floatTexts(bytes);
  return SNAPSHOTS.has(oid) ? [] : undefined;
}

/** An int8 or numeric of that text, as `spelledNumber` reads it; undefined for other types and texts. */
export function binaryNumber(oid: number, text: Uint8Array): Uint8Array | undefined {
  const digits = String.fromCharCode(...text);
  if (oid === 20) {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigInt64(0, BigInt(digits));
    return bytes;
  }
  return oid === 1700 ? numericBytes(digits) : undefined;
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
  if (digits.some((digit) => digit > 9_999)) return undefined;
  const group = (index: number): string => String(digits[index] ?? 0).padStart(4, '0');
  // Only as far as digits go: zeros without end spell nothing.
  let whole = '';
  for (let index = 0; index <= Math.min(weight, count + 8); index += 1) whole += group(index);
  let fraction = '';
  for (let index = Math.max(0, weight + 1); index < count; index += 1) fraction += group(index);
  const text = `${sign === 0x4000 ? '-' : ''}${whole.replace(/^0+(?=\d)/, '') || '0'}${scale === 0 ? '' : `.${fraction.slice(0, scale).padEnd(Math.min(scale, 8), '0')}`}`;
  return [encoder.encode(text)];
}

function numericBytes(text: string): Uint8Array | undefined {
  const parts = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (parts === null) return undefined;
  const fraction = parts[3] ?? '';
  const whole = (parts[2] as string).replace(/^0+/, '');
  const padded =
    whole.padStart(Math.ceil(whole.length / 4) * 4, '0') + fraction.padEnd(Math.ceil(fraction.length / 4) * 4, '0');
  const groups = (padded.match(/\d{4}/g) ?? []).map(Number);
  const bytes = new Uint8Array(8 + 2 * groups.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, groups.length);
  view.setInt16(2, Math.ceil(whole.length / 4) - 1);
  view.setUint16(4, parts[1] === '-' ? 0x4000 : 0);
  view.setUint16(6, fraction.length);
  groups.forEach((group, index) => {
    view.setUint16(8 + 2 * index, group);
  });
  return bytes;
}

/** Whatever stands before the numbers (a count, a closed flag) is shorter than one of them. */
function floatTexts(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const texts: Uint8Array[] = [];
  for (let at = bytes.length % 8; at < bytes.length; at += 8) texts.push(encoder.encode(String(view.getFloat64(at))));
  return texts;
}

/** @returns the address, without its mask; undefined where these are no bytes of an inet */
export function spelledAddress(bytes: Uint8Array): Uint8Array | undefined {
  const address = bytes.subarray(4);
  if (bytes[3] !== address.length) return undefined;
  if (bytes[0] === FAMILY_4 && address.length === 4) return encoder.encode(address.join('.'));
  if (bytes[0] !== FAMILY_6 || address.length !== 16) return undefined;
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((address[2 * index] as number) << 8) | (address[2 * index + 1] as number)).toString(16),
  );
  return encoder.encode(groups.join(':'));
}
