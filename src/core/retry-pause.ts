const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 5 * 60_000;

/**
 * How long to wait before another attempt, in ms: doubled each time up to five minutes, less up to half of it by chance, so
 * that agents that failed together do not come together.
 *
 * @param failures in a row, from 1
 * @param random 0 up to 1
 */
export function retryPause(failures: number, random: number): number {
  const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 20));
  return longest * (1 - random / 2);
}
