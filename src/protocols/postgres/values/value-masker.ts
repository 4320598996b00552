import type { KeyedHash, MaskCounts, MaskRule } from '../../../core/mask.js';
import type { ChunkMasker } from '../../../masking/chunks/chunk-masker.js';

/** The masking engine as this room uses it. */
export interface ValueMasker {
  mayMatch(bytes: Uint8Array, start: number, end: number): boolean;
  maskValue(bytes: Uint8Array, start: number, end: number, counts: MaskCounts): Uint8Array | null | undefined;
  maskJson(bytes: Uint8Array, start: number, end: number, counts: MaskCounts): Uint8Array | null | undefined;
  maskText(text: string, counts: MaskCounts): string;
  /** For the values of a column of this name, where that tells what they are. */
  under?(name: string): ValueMasker | undefined;
  /** The same for whole chunks of messages; left out where each value has to be looked at. */
  readonly chunks?: ChunkMasker;
}

/** Masks the whole of a value by its rule's strategy; see `masking/whole-value`. */
export type MaskWhole = (rule: MaskRule, value: Uint8Array, label: string, hash: KeyedHash) => Uint8Array | null;

/** What becomes of a value: other bytes, NULL, or (undefined) nothing. */
export type Cell = Uint8Array | null | undefined;

export function count(counts: MaskCounts, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** For a value that can't be masked in place: NULL, counted where no entity was. */
export function unreadable(counts: MaskCounts): null {
  count(counts, 'unreadable');
  return null;
}

export function nullWhenFound(cell: Cell): null | undefined {
  return cell === undefined ? undefined : null;
}
