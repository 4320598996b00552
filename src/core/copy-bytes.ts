/** A copy of its own. A Buffer's `slice` is none: it goes on sharing memory with what a reader may fill anew. */
export function copyBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
