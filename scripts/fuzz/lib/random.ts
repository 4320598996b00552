/** Repeatable randomness: the same seed gives the same run on every machine. */
export class Random {
  #state: number;

  constructor(readonly seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 to below 1. Mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** 0 to `below` - 1. */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.below(items.length)] ?? items[0];
  }
}

/** Numbers that parsers trip over, as they stand in length fields. */
const TRAPS = [0, 1, 3, 4, 5, 0x7f, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff] as const;

/** Damages bytes at a few places: flipped, removed, doubled, put in, a length field overwritten. */
export function damage(random: Random, whole: Uint8Array): Uint8Array {
  let bytes = Buffer.from(whole);
  for (let left = 1 + random.below(3); left > 0 && bytes.length > 0; left -= 1) {
    const at = random.below(bytes.length);
    const some = 1 + random.below(8);
    const kind = random.below(5);
    if (kind === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
    else if (kind === 1) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + some)]);
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at + some), bytes.subarray(at)]);
    else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, at), noise(random, some), bytes.subarray(at)]);
    else if (at + 4 <= bytes.length) bytes.writeUInt32BE(random.pick(TRAPS), at);
  }
  return bytes;
}

export function noise(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.below(256)));
}

/** The same bytes as the network might slice them. */
export function slices(random: Random, bytes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  const longest = random.pick([1, 3, 17, 400, 100_000]);
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + 1 + random.below(longest));
    parts.push(bytes.subarray(at, end));
    at = end;
  }
  return parts;
}
