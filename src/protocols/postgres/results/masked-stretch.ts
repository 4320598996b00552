import type { Fault } from '../../../core/errors.js';
import type { MaskCounts } from '../../../core/mask.js';
import type { MaskMessage, StretchMasker } from '../../../masking/chunks/chunk-masker.js';
import { runEnd } from '../wire/frames.js';

export interface MaskedStretch {
  /** Offset behind it. */
  readonly end: number;
  readonly rows: number;
  /** Stand for the bytes of it; left out where nothing changed. */
  readonly parts?: readonly Uint8Array[];
}

/** Where a run of whole messages of one type begins, and how many bytes make it worth the scanner's copy. */
export interface StretchPlace {
  readonly type: number;
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly least: number;
}

/**
 * Masks a run of whole messages at once.
 *
 * @param one masks a message that the scanner leaves
 * @returns undefined where there are fewer than `least` bytes of them, or the first has to be looked at by itself
 */
export function maskStretch(
  stretch: StretchMasker,
  { type, bytes, at, least }: StretchPlace,
  counts: MaskCounts,
  one: MaskMessage,
): MaskedStretch | Fault | undefined {
  const end = runEnd(bytes, at, type);
  if (end - at < least) return undefined;
  const masked = stretch.mask(bytes, at, end, counts, one);
  if (masked === undefined) return { code: 'protocol', message: 'malformed row from the server' };
  // A piece of a COPY row, or one too large for the scanner.
  if (masked.end === at) return undefined;
  const [only] = masked.parts;
  const same = masked.parts.length === 1 && only?.length === masked.end - at && only.buffer === bytes.buffer;
  return { end: masked.end, rows: masked.rows, ...(same ? {} : { parts: masked.parts }) };
}
