const UNITS: readonly (readonly [ms: number, name: string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'm'],
  [1_000, 's'],
];

/** `1h30m`, as durations are written in files and flags; whole seconds, `0s` for less. */
export function durationText(durationMs: number): string {
  let left = Math.max(0, durationMs);
  let text = '';
  for (const [unitMs, name] of UNITS) {
    const count = Math.floor(left / unitMs);
    left -= count * unitMs;
    if (count > 0) text += `${String(count)}${name}`;
  }
  return text === '' ? '0s' : text;
}
