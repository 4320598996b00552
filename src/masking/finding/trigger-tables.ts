import type { EntityDetector } from './entity.js';

/** Detectors that share one table: one bit of a word each. */
export const LANE = 32;

/** For each 32 detectors a table, by byte: bits of the detectors that it is a trigger of. */
export function triggerTables(detectors: readonly EntityDetector[]): readonly Uint32Array[] {
  const tables = Array.from({ length: Math.ceil(detectors.length / LANE) }, () => new Uint32Array(256));
  detectors.forEach((detector, index) => {
    const table = tables[Math.floor(index / LANE)] as Uint32Array;
    for (const byte of detector.triggers) table[byte] = ((table[byte] as number) | (1 << (index % LANE))) >>> 0;
  });
  return tables;
}
