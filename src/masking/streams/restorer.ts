interface Node {
  readonly next: Map<number, Node>;
  original?: Uint8Array;
}

/** One placeholder of a text, and what it stands for. */
export interface Restored {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly original: Uint8Array;
}

/** Knows the placeholders that stand for values: for all texts of one answer. */
export class Restorer {
  readonly size: number;
  readonly #root: Node = { next: new Map() };
  /** 1 for what a placeholder may begin with. */
  readonly #first = new Uint8Array(256);

  /** @param originals by placeholder; empty placeholders stand for nothing */
  constructor(originals: ReadonlyMap<string, string>) {
    this.size = originals.size;
    const encoder = new TextEncoder();
    for (const [placeholder, original] of originals) {
      if (placeholder === '') continue;
      let node = this.#root;
      for (const byte of encoder.encode(placeholder)) {
        const next = node.next.get(byte) ?? { next: new Map() };
        node.next.set(byte, next);
        node = next;
      }
      node.original = encoder.encode(original);
    }
    for (const byte of this.#root.next.keys()) this.#first[byte] = 1;
  }

  /**
   * Placeholders of bytes[from,end) in order, the longest of those that begin together, added to `found`.
   *
   * @returns where one may have begun whose end has not come; `end` for none
   */
  find(bytes: Uint8Array, from: number, end: number, over: boolean, found: Restored[]): number {
    let at = from;
    while (at < end) {
      if (this.#first[bytes[at] as number] === 0) {
        at += 1;
        continue;
      }
      let node: Node | undefined = this.#root;
      let best: Restored | undefined;
      for (let index = at; ; index += 1) {
        if (node.original !== undefined) best = { from: at, to: index, original: node.original };
        if (index >= end) {
          if (!over && node.next.size > 0) return at;
          break;
        }
        node = node.next.get(bytes[index] as number);
        if (node === undefined) break;
      }
      if (best !== undefined) found.push(best);
      at = best?.to ?? at + 1;
    }
    return end;
  }

  /** What a whole token stands for. */
  originalOf(bytes: Uint8Array): Uint8Array | undefined {
    const found: Restored[] = [];
    this.find(bytes, 0, bytes.length, true, found);
    return found[0]?.from === 0 && found[0].to === bytes.length ? found[0].original : undefined;
  }
}
