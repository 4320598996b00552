/**
 * What was sent and may have to be sent again: bytes by their place in the stream, from the first that the other
 * side has not confirmed. Bounded by the window, since no more than that is ever under way unconfirmed.
 */
export class ReplayBuffer {
  readonly #chunks: Uint8Array[] = [];

  /** @param start place of the first byte kept */
  constructor(private start: number) {}

  push(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
  }

  /** The other side has everything before `place`. */
  confirm(place: number): void {
    let dropped = 0;
    for (const chunk of this.#chunks) {
      if (this.start + chunk.length > place) break;
      this.start += chunk.length;
      dropped += 1;
    }
    if (dropped > 0) this.#chunks.splice(0, dropped);
  }

  /** Everything from `place` on; undefined where that is not kept any more, or was never sent. */
  from(place: number): Uint8Array[] | undefined {
    if (place < this.start) return undefined;
    let skip = place - this.start;
    const found: Uint8Array[] = [];
    for (const chunk of this.#chunks) {
      if (skip < chunk.length) found.push(skip === 0 ? chunk : chunk.subarray(skip));
      skip = Math.max(0, skip - chunk.length);
    }
    return skip === 0 ? found : undefined;
  }
}
