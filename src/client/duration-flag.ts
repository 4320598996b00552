import { parseDuration } from '../core/duration.js';
import { HoopError } from '../core/errors.js';

/** Longest delay that a timer keeps, in ms: longer than that is no bound that anyone waits for. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Milliseconds of a flag such as `--wait 10m`; undefined where it was not given.
 *
 * @throws HoopError usage
 */
export function durationFlag(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms === undefined) throw new HoopError('usage', `--${flag} takes a duration such as 30s, 10m or 2h`);
  return Math.min(ms, MAX_TIMER_MS);
}
