import { HoopError } from '../core/errors.js';

/** Longest delay that a timer keeps, in ms: longer than that is no bound that anyone waits for. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Milliseconds of a flag such as `--wait 10m`; undefined where it was not given.
 *
 * @throws HoopError usage
 */
export async function durationFlag(flag: string, text: string | undefined): Promise<number | undefined> {
  if (text === undefined) return undefined;
  // Loaded here: the schema library costs more than most runs need.
  const { durationSchema } = await import('../config/values.js');
  const parsed = durationSchema.safeParse(text);
  if (!parsed.success) throw new HoopError('usage', `--${flag} takes a duration such as 30s, 10m or 2h`);
  return Math.min(parsed.data, MAX_TIMER_MS);
}
