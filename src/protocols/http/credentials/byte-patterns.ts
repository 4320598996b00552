/** What no state leads to. */
const ROOT = 0;

/**
 * Finds any of a fixed set of byte strings in one pass (Aho and Corasick 1975). Outside of a possible match whole
 * stretches are skipped by the byte at which the shortest pattern would end (Horspool 1980).
 */
export class BytePatterns {
  /** Key: state * 256 + byte. */
  readonly #next = new Map<number, number>();
  /** State after the root for each first byte. */
  readonly #first = new Uint32Array(256);
  readonly #failure: number[] = [ROOT];
  /** Length of the longest pattern that ends in the state; 0 for none. */
  readonly #ends: number[] = [0];
  readonly #depth: number[] = [0];
  #begun: number[] = [];
  readonly #shortest: number;
  /** How far the next possible match's end may be from a byte of this value. */
  readonly #skip = new Uint32Array(256);

  /** @param patterns none empty; none at all matches nothing */
  constructor(patterns: readonly Uint8Array[]) {
    this.#shortest = Math.min(...patterns.map((pattern) => pattern.length));
    this.#skip.fill(this.#shortest);
    for (const pattern of patterns) this.#add(pattern);
    this.#link();
  }

  /** The state after one more byte. */
  step(state: number, byte: number): number {
    let from = state;
    while (from !== ROOT) {
      const next = this.#next.get(from * 256 + byte);
      if (next !== undefined) return next;
      from = this.#failure[from] as number;
    }
    return this.#first[byte] as number;
  }

  /** How many of the last bytes may be the beginning of a match that is not over yet. */
  begun(state: number): number {
    return this.#begun[state] as number;
  }

  /** Length of the longest match that ends here; 0 where none does. */
  matched(state: number): number {
    return this.#ends[state] as number;
  }

  /** From the root: the first place at or after `at` where a match may begin, as far as bytes[at,end) tell. */
  candidate(bytes: Uint8Array, at: number, end: number): number {
    const window = this.#shortest;
    let place = at;
    while (place + window <= end) {
      const skip = this.#skip[bytes[place + window - 1] as number] as number;
      if (skip === 0) return place;
      place += skip;
    }
    while (place < end && this.#first[bytes[place] as number] === ROOT) place += 1;
    return Math.min(place, end);
  }

  #add(pattern: Uint8Array): void {
    let state = ROOT;
    pattern.forEach((byte, index) => {
      if (index < this.#shortest) this.#skip[byte] = Math.min(this.#skip[byte] as number, this.#shortest - 1 - index);
      state = this.#child(state, byte) ?? this.#grow(state, byte);
    });
    this.#ends[state] = pattern.length;
  }

  #child(state: number, byte: number): number | undefined {
    if (state !== ROOT) return this.#next.get(state * 256 + byte);
    const first = this.#first[byte] as number;
    return first === ROOT ? undefined : first;
  }

  #grow(state: number, byte: number): number {
    const grown = this.#depth.length;
    this.#depth.push((this.#depth[state] as number) + 1);
    this.#ends.push(0);
    this.#failure.push(ROOT);
    if (state === ROOT) this.#first[byte] = grown;
    else this.#next.set(state * 256 + byte, grown);
    return grown;
  }

  /** Links each state to the longest other one that its bytes end with: breadth first, so that shorter ones are linked before. */
  #link(): void {
    const edges = Array.from(this.#next, ([key, to]) => ({ from: Math.floor(key / 256), byte: key % 256, to }));
    edges.sort((a, b) => (this.#depth[a.to] as number) - (this.#depth[b.to] as number));
    for (const { from, byte, to } of edges) {
      const failure = this.step(this.#failure[from] as number, byte);
      this.#failure[to] = failure;
      this.#ends[to] = Math.max(this.#ends[to] as number, this.#ends[failure] as number);
    }
    this.#linkBegun(edges);
  }

  /** From a state that nothing leads on from, only what its bytes end with may go on. */
  #linkBegun(edges: readonly { readonly from: number; readonly to: number }[]): void {
    const goesOn = new Set(edges.map(({ from }) => from));
    this.#begun = Array.from(this.#depth, (depth, state) => (goesOn.has(state) ? depth : 0));
    for (const { to } of edges)
      if (!goesOn.has(to)) this.#begun[to] = this.#begun[this.#failure[to] as number] as number;
  }
}
