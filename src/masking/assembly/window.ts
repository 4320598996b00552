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
  return (
    <u64>(<u32>i8x16.bitmask(x)) |
    (<u64>(<u32>i8x16.bitmask(y)) << 16) |
    (<u64>(<u32>i8x16.bitmask(z)) << 32) |
    (<u64>(<u32>i8x16.bitmask(w)) << 48)
  );
}

export function equalTo(byte: u8): u64 {
  const all = i8x16.splat(byte);
  return bitsOf(i8x16.eq(a, all), i8x16.eq(b, all), i8x16.eq(c, all), i8x16.eq(d, all));
}

/** `count` bytes from `least` on. */
export function between(least: u8, count: u8): u64 {
  const from = i8x16.splat(least);
  const width = i8x16.splat(count);
  return bitsOf(
    i8x16.lt_u(i8x16.sub(a, from), width),
    i8x16.lt_u(i8x16.sub(b, from), width),
    i8x16.lt_u(i8x16.sub(c, from), width),
    i8x16.lt_u(i8x16.sub(d, from), width),
  );
}

/** ASCII letters. */
export function letters(): u64 {
  const bit = i8x16.splat(0x20);
  const from = i8x16.splat(0x61);
  const width = i8x16.splat(26);
  return bitsOf(
    i8x16.lt_u(i8x16.sub(v128.or(a, bit), from), width),
    i8x16.lt_u(i8x16.sub(v128.or(b, bit), from), width),
    i8x16.lt_u(i8x16.sub(v128.or(c, bit), from), width),
    i8x16.lt_u(i8x16.sub(v128.or(d, bit), from), width),
  );
}

/** Bytes beyond ASCII. */
export function wide(): u64 {
  return bitsOf(a, b, c, d);
}

/** Where three bytes stand with which one of the literals begins. @param at the address that was looked at */
export function literals(at: usize): u64 {
  const first = literalsOf(a, at);
  const second = literalsOf(b, at + 16);
  const third = literalsOf(c, at + 32);
  const fourth = literalsOf(d, at + 48);
  if (!v128.any_true(v128.or(v128.or(first, second), v128.or(third, fourth)))) return 0;
  v128.store(buckets, first);
  v128.store(buckets, second, 16);
  v128.store(buckets, third, 32);
  v128.store(buckets, fourth, 48);
  const none = i8x16.splat(0);
  return bitsOf(i8x16.ne(first, none), i8x16.ne(second, none), i8x16.ne(third, none), i8x16.ne(fourth, none));
}

/** Sixteen bytes against six tables, a low and a high half of a byte for each of three bytes; a bit is a bucket. */
function literalsOf(bytes: v128, at: usize): v128 {
  return v128.and(
    v128.and(bucketsOf(bytes, NIBBLES), bucketsOf(v128.load(at, 1), NIBBLES + 32)),
    bucketsOf(v128.load(at, 2), NIBBLES + 64),
  );
}

function bucketsOf(bytes: v128, table: usize): v128 {
  const low = i8x16.swizzle(v128.load(table), v128.and(bytes, i8x16.splat(0x0f)));
  return v128.and(low, i8x16.swizzle(v128.load(table, 16), i8x16.shr_u(bytes, 4)));
}
