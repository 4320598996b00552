const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const LONGEST_MS = 36_525 * 86_400_000;

/** What a duration looks like, as a regular expression's text. */
export const DURATION_PATTERN = '^([0-9]{1,9}(ms|s|m|h|d))+$';

/**
 * `500ms`, `30s`, `5m`, `2h`, `90d`, also `1h30m`.
 *
 * @returns milliseconds, more than 0, at most 100 years; undefined for any other text
 */
export function parseDuration(text: string): number | undefined {
  if (!new RegExp(DURATION_PATTERN).test(text)) return undefined;
  let totalMs = 0;
  for (const [, count, unit = ''] of text.matchAll(/(\d+)(ms|s|m|h|d)/g))
    totalMs += Number(count) * (UNITS_MS[unit] ?? 0);
  return totalMs > 0 && totalMs <= LONGEST_MS ? totalMs : undefined;
}
