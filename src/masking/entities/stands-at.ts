import type { Span } from '../finding/entity.js';

/** Sets `span.open` where the text may stand there but for bytes that are missing. */
export function standsAt(bytes: Uint8Array, at: number, end: number, text: readonly number[], span: Span): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (at + index >= end) {
      span.open = true;
      return false;
    }
    if (bytes[at + index] !== text[index]) return false;
  }
  return true;
}
