/**
 * A keyed permutation of the whole numbers below some size, and its inverse: a Feistel network over two
 * halves of nearly equal size, in the manner of FF1, with HMAC-SHA-256 as its round function; numbers that
 * leave the range walk on until they are back in it.
 *
 * @see https://nvlpubs.nist.gov/nistpubs/SpecialPublications/NIST.SP.800-38G.pdf
 */
import type { KeyedHash } from '../../core/mask.js';

const ROUNDS = 10;
const ROUND_BYTES = 16;

/** @param domain what is permuted: permutations of different domains have nothing to do with each other */
export class KeyedPermutation {
  readonly #left: bigint;
  readonly #right: bigint;
  readonly #prefix: Uint8Array;

  constructor(
    domain: string,
    private readonly size: bigint,
    private readonly hash: KeyedHash,
  ) {
    this.#left = rootAbove(size);
    this.#right = (size + this.#left - 1n) / this.#left;
    this.#prefix = new TextEncoder().encode(`permutation\0${domain}\0${size.toString()}\0`);
  }

  /** @param value from 0 to below the size */
  of(value: bigint): bigint {
    let walked = value;
    do walked = this.#forth(walked);
    while (walked >= this.size);
    return walked;
  }

  /** The value of which `of` made this one. */
  inverse(value: bigint): bigint {
    let walked = value;
    do walked = this.#back(walked);
    while (walked >= this.size);
    return walked;
  }

  #forth(value: bigint): bigint {
    let left = value / this.#right;
    let right = value % this.#right;
    for (let round = 0; round < ROUNDS; round += 2) {
      left = (left + this.#round(round, right)) % this.#left;
      right = (right + this.#round(round + 1, left)) % this.#right;
    }
    return left * this.#right + right;
  }

  #back(value: bigint): bigint {
    let left = value / this.#right;
    let right = value % this.#right;
    for (let round = ROUNDS - 2; round >= 0; round -= 2) {
      right = modulo(right - this.#round(round + 1, left), this.#right);
      left = modulo(left - this.#round(round, right), this.#left);
    }
    return left * this.#right + right;
  }

  #round(round: number, half: bigint): bigint {
    const input = new Uint8Array(this.#prefix.length + 1 + ROUND_BYTES);
    input.set(this.#prefix);
    input[this.#prefix.length] = round;
    let rest = half;
    for (let at = input.length - 1; rest > 0n; at -= 1) {
      input[at] = Number(rest & 0xffn);
      rest >>= 8n;
    }
    return this.hash(input)
      .subarray(0, ROUND_BYTES)
      .reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
  }
}

/** The least number whose square is not below `size`. */
function rootAbove(size: bigint): bigint {
  let low = 1n;
  let high = 1n << 65n;
  while (low < high) {
    const middle = (low + high) >> 1n;
    if (middle * middle >= size) high = middle;
    else low = middle + 1n;
  }
  return low;
}

function modulo(value: bigint, size: bigint): bigint {
  const rest = value % size;
  return rest < 0n ? rest + size : rest;
}
