import { BodyReader } from '../wire/frames.js';
import { dataRow } from '../wire/messages.js';
import type { RowMasking } from '../results/row-masker.js';
import { withPseudonyms, type Swap } from './plan-text.js';

const encoder = new TextEncoder();
const MASKED = encoder.encode('"[masked]"');

/** Masks the rows of an EXPLAIN: values in it become the pseudonyms that stand for them, before any other mask. */
export class PlanMasker implements RowMasking {
  readonly stretch = undefined;
  readonly #swaps: readonly Swap[];

  constructor(
    private readonly columns: Pick<RowMasking, 'mask'> | undefined,
    swaps: readonly Swap[],
  ) {
    this.#swaps = swaps.map(({ original, pseudonym }) => ({
      original: bytesAsText(encoder.encode(original)),
      pseudonym: bytesAsText(encoder.encode(pseudonym)),
    }));
  }

  untouched(): boolean {
    return false;
  }

  mask(row: Uint8Array): Uint8Array | undefined {
    const reader = new BodyReader(row);
    const cells = reader.list(4, () => {
      const length = reader.int32();
      return length === -1 ? null : reader.take(length);
    });
    if (reader.failed || reader.remaining > 0) return undefined;
    // First: what a mask of kinds leaves of a value would be a part of it.
    const shown = dataRow(cells.map((cell) => (cell === null ? null : this.#cell(cell))));
    return this.columns === undefined ? shown : this.columns.mask(shown);
  }

  #cell(cell: Uint8Array): Uint8Array {
    const text = bytesAsText(cell);
    const shown = withPseudonyms(text, this.#swaps);
    if (shown === undefined) return MASKED;
    return shown === text ? cell : Uint8Array.from(shown, (letter) => letter.charCodeAt(0));
  }
}

/** Each byte as one character. */
function bytesAsText(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += CHUNK) text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return text;
}

/** Arguments that one call takes safely. */
const CHUNK = 8_192;
