/** Hashes that addresses are checked by. Short inputs alone: nothing here is meant to be fast, or to keep a secret. */

const SHA_START = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

/** First 32 bits of the fractions of the cube roots of the first 64 primes. */
const SHA_ROUNDS = ((): Uint32Array => {
  const primes: number[] = [];
  for (let next = 2; primes.length < 64; next += 1) if (primes.every((prime) => next % prime !== 0)) primes.push(next);
  return Uint32Array.from(primes, (prime) => (Math.cbrt(prime) % 1) * 2 ** 32);
})();

const right = (word: number, by: number): number => (word >>> by) | (word << (32 - by));

/** SHA-256. @see https://csrc.nist.gov/pubs/fips/180-4/upd1/final section 6.2 */
export function sha256(input: Uint8Array): Uint8Array {
  const padded = new Uint8Array(Math.ceil((input.length + 9) / 64) * 64);
  padded.set(input);
  padded[input.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 4, input.length * 8);
  const state = Uint32Array.from(SHA_START);
  const words = new Uint32Array(64);
  for (let block = 0; block < padded.length; block += 64) {
    for (let index = 0; index < 16; index += 1) words[index] = view.getUint32(block + 4 * index);
    for (let index = 16; index < 64; index += 1) {
      const [two, fifteen] = [words[index - 2] as number, words[index - 15] as number];
      const small = right(fifteen, 7) ^ right(fifteen, 18) ^ (fifteen >>> 3);
      const large = right(two, 17) ^ right(two, 19) ^ (two >>> 10);
      words[index] = (words[index - 16] as number) + small + (words[index - 7] as number) + large;
    }
    shaBlock(state, words);
  }
  const out = new DataView(new ArrayBuffer(32));
  state.forEach((word, index) => {
    out.setUint32(4 * index, word);
  });
  return new Uint8Array(out.buffer);
}

function shaBlock(state: Uint32Array, words: Uint32Array): void {
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
  for (let index = 0; index < 64; index += 1) {
    const choice = (e & f) ^ (~e & g);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const first =
      (h +
        (right(e, 6) ^ right(e, 11) ^ right(e, 25)) +
        choice +
        (SHA_ROUNDS[index] as number) +
        (words[index] as number)) |
      0;
    const second = ((right(a, 2) ^ right(a, 13) ^ right(a, 22)) + majority) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, index) => {
    state[index] = (state[index] as number) + word;
  });
}

const LANES = 25;
const MASK = (1n << 64n) - 1n;
const left = (lane: bigint, by: number): bigint => ((lane << BigInt(by)) | (lane >> BigInt(64 - by))) & MASK;

/** Round constants by the linear feedback shift register of the specification, and the way of rho and pi. */
const KECCAK_ROUNDS = ((): bigint[] => {
  let register = 1;
  return Array.from({ length: 24 }, () => {
    let constant = 0n;
    for (let bit = 0; bit < 7; bit += 1) {
      if ((register & 1) === 1) constant |= 1n << BigInt(2 ** bit - 1);
      register = (register << 1) ^ ((register >> 7) * 0x171);
    }
    return constant;
  });
})();

const RATE = 136;

/** Keccak-256 with the padding from before it became SHA-3, as Ethereum has it. @see https://keccak.team/keccak_specs_summary.html */
export function keccak256(input: Uint8Array): Uint8Array {
  const padded = new Uint8Array(Math.ceil((input.length + 1) / RATE) * RATE);
  padded.set(input);
  padded[input.length] = 0x01;
  padded[padded.length - 1] = (padded[padded.length - 1] as number) | 0x80;
  const view = new DataView(padded.buffer);
  const lanes = Array.from({ length: LANES }, () => 0n);
  for (let block = 0; block < padded.length; block += RATE) {
    for (let lane = 0; lane < RATE / 8; lane += 1)
      lanes[lane] = lanes[lane]! ^ view.getBigUint64(block + 8 * lane, true);
    for (const constant of KECCAK_ROUNDS) keccakRound(lanes, constant);
  }
  const out = new DataView(new ArrayBuffer(32));
  for (let lane = 0; lane < 4; lane += 1) out.setBigUint64(8 * lane, lanes[lane] as bigint, true);
  return new Uint8Array(out.buffer);
}

function keccakRound(lanes: bigint[], constant: bigint): void {
  const at = (x: number, y: number): bigint => lanes[(x % 5) + 5 * (y % 5)] as bigint;
  const columns = [0, 1, 2, 3, 4].map((x) => at(x, 0) ^ at(x, 1) ^ at(x, 2) ^ at(x, 3) ^ at(x, 4));
  for (let lane = 0; lane < LANES; lane += 1) {
    const x = lane % 5;
    lanes[lane] = (lanes[lane] as bigint) ^ (columns[(x + 4) % 5] as bigint) ^ left(columns[(x + 1) % 5] as bigint, 1);
  }
  let [x, y, moved] = [1, 0, at(1, 0)];
  for (let step = 0; step < 24; step += 1) {
    [x, y] = [y, (2 * x + 3 * y) % 5];
    const kept = at(x, y);
    lanes[x + 5 * y] = left(moved, (((step + 1) * (step + 2)) / 2) % 64);
    moved = kept;
  }
  for (let row = 0; row < 5; row += 1) {
    const values = [0, 1, 2, 3, 4].map((column) => at(column, row));
    values.forEach((value, column) => {
      lanes[column + 5 * row] =
        value ^ (~(values[(column + 1) % 5] as bigint) & MASK & (values[(column + 2) % 5] as bigint));
    });
  }
  lanes[0] = (lanes[0] as bigint) ^ constant;
}
