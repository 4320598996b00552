/** Sixty-four bytes as words of bits, one for each class of bytes: bit n says that byte n is a digit, a dot, …. */
import { NIBBLES } from './layout';

let a: v128 = i8x16.splat(0);
let b: v128 = i8x16.splat(0);
let c: v128 = i8x16.splat(0);
let d: v128 = i8x16.splat(0);

/** For each byte at hand, the buckets of literals that may begin there; written by `literals`. */
const buckets: usize = memory.data(64);

export function bucketsAt(bit: usize): u8 {
  return load<u8>(buckets + bit);
}

export function look(at: usize): void {
  a = v128.load(at);
  b = v128.load(at, 16);
  c = v128.load(at, 32);
  d = v128.load(at, 48);
}

function bitsOf(x: v128, y: v128, z: v128, w: v128): u64 {
  const low = (<u32>i8x16.bitmask(x)) | ((<u32>i8x16.bitmask(y)) << 16);
  const high = (<u32>i8x16.bitmask(z)) | ((<u32>i8x16.bitmask(w)) << 16);
  return (<u64>low) | ((<u64>high) << 32);
}

export function equalTo(byte: u8): u64 {
  const all = i8x16.splat(byte);
  return bitsOf(i8x16.eq(a, all), i8x16.eq(b, all), i8x16.eq(c, all), i8x16.eq(d, all));
}

export function equalToEither(one: u8, other: u8): u64 {
  const first = i8x16.splat(one);
  const second = i8x16.splat(other);
  return bitsOf(
    v128.or(i8x16.eq(a, first), i8x16.eq(a, second)),
    v128.or(i8x16.eq(b, first), i8x16.eq(b, second)),
    v128.or(i8x16.eq(c, first), i8x16.eq(c, second)),
    v128.or(i8x16.eq(d, first), i8x16.eq(d, second)),
  );
}

/** Does one of three bytes stand anywhere in the window? Costs half of what telling where does. */
export function holdsAny(one: u8, two: u8, three: u8): bool {
  const first = i8x16.splat(one);
  const second = i8x16.splat(two);
  const third = i8x16.splat(three);
  const low = v128.or(anyOf(a, first, second, third), anyOf(b, first, second, third));
  return v128.any_true(v128.or(low, v128.or(anyOf(c, first, second, third), anyOf(d, first, second, third))));
}

function anyOf(bytes: v128, first: v128, second: v128, third: v128): v128 {
  return v128.or(v128.or(i8x16.eq(bytes, first), i8x16.eq(bytes, second)), i8x16.eq(bytes, third));
}

/** `count` bytes from `least` on. */
export function between(least: u8, count: u8): u64 {
  const from = i8x16.splat(least);
  // Of two comparisons the one that is a minimum and an equality.
  const most = i8x16.splat(count - 1);
  return bitsOf(
    i8x16.le_u(i8x16.sub(a, from), most),
    i8x16.le_u(i8x16.sub(b, from), most),
    i8x16.le_u(i8x16.sub(c, from), most),
    i8x16.le_u(i8x16.sub(d, from), most),
  );
}

/** ASCII letters. */
export function letters(): u64 {
  const bit = i8x16.splat(0x20);
  const from = i8x16.splat(0x61);
  const most = i8x16.splat(25);
  return bitsOf(
    i8x16.le_u(i8x16.sub(v128.or(a, bit), from), most),
    i8x16.le_u(i8x16.sub(v128.or(b, bit), from), most),
    i8x16.le_u(i8x16.sub(v128.or(c, bit), from), most),
    i8x16.le_u(i8x16.sub(v128.or(d, bit), from), most),
  );
}

/** Bytes beyond ASCII. */
export function wide(): u64 {
  return i8x16.bitmask(v128.or(v128.or(a, b), v128.or(c, d))) == 0 ? 0 : bitsOf(a, b, c, d);
}

/** Bytes of ASCII behind the digits and most signs: letters, and a few signs between and behind them. */
export function upper(): u64 {
  const least = i8x16.splat(0x40);
  return bitsOf(i8x16.gt_s(a, least), i8x16.gt_s(b, least), i8x16.gt_s(c, least), i8x16.gt_s(d, least));
}

/** Where three bytes stand with which one of the literals begins. @param at the address that was looked at */
export function literals(at: usize): u64 {
  const none = i8x16.splat(0);
  let bits: u64 = 0;
  // One after the other: all at once would not fit into the registers of the machine.
  for (let place: usize = 0; place < 64; place += 16) {
    const found = literalsAt(at + place);
    v128.store(buckets + place, found);
    bits |= (<u64>(<u32>i8x16.bitmask(i8x16.ne(found, none)))) << place;
  }
  return bits;
}

/** Sixteen bytes against six tables, a low and a high half of a byte for each of three bytes; a bit is a bucket. */
function literalsAt(at: usize): v128 {
  return v128.and(
    v128.and(bucketsOf(v128.load(at), NIBBLES), bucketsOf(v128.load(at, 1), NIBBLES + 32)),
    bucketsOf(v128.load(at, 2), NIBBLES + 64),
  );
}

function bucketsOf(bytes: v128, table: usize): v128 {
  const half = i8x16.splat(0x0f);
  const low = i8x16.swizzle(v128.load(table), v128.and(bytes, half));
  return v128.and(low, i8x16.swizzle(v128.load(table, 16), v128.and(i16x8.shr_u(bytes, 4), half)));
}
