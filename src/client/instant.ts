import { parseDuration } from '../core/duration.js';
import { HoopError } from '../core/errors.js';

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;

/**
 * A moment as people name it: RFC 3339, a day (its start, UTC), or how long ago (`2h`, `7d`).
 *
 * @param nowMs milliseconds since the epoch
 * @returns RFC 3339 UTC
 * @throws HoopError `usage`
 */
export function instantOf(text: string, nowMs: number): string {
  const atMs = DAY.test(text) || TIME.test(text) ? Date.parse(text) : nowMs - (parseDuration(text) ?? Number.NaN);
  if (!Number.isNaN(atMs)) return new Date(atMs).toISOString();
  throw new HoopError('usage', 'the time is not one', {
    suggestion: 'write 2026-11-21, 2026-11-21T04:30:00Z, or how long ago as in 30m, 2h or 7d',
  });
}
