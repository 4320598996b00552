import type { Clock } from '../core/clock.js';

/** How far the smooth clock may be from the wall clock before the wall clock is believed, in µs. */
const MAX_DRIFT_US = 50_000;

/** The machine's clock, with microseconds, never going backwards within this process. */
export function systemClock(): Clock {
  // Microseconds since the epoch fit a double exactly until the year 2255.
  let lastUs = 0;
  // The wall clock has milliseconds; the high-resolution one tells how far into them we are.
  const startUs = Date.now() * 1000;
  const startMs = performance.now();
  let second = -1;
  let secondText = '';
  return {
    nowMs: () => Date.now(),
    timestamp: () => {
      const wallUs = Date.now() * 1000;
      const smoothUs = startUs + Math.floor((performance.now() - startMs) * 1000);
      // Where the wall clock was set or the machine slept, the wall clock is right.
      const us = Math.abs(smoothUs - wallUs) > MAX_DRIFT_US ? wallUs : smoothUs;
      lastUs = us > lastUs ? us : lastUs + 1;
      const seconds = Math.floor(lastUs / 1_000_000);
      if (seconds !== second) {
        second = seconds;
        secondText = new Date(seconds * 1000).toISOString().slice(0, 20);
      }
      // A leading 1 keeps the zeros in front.
      return `${secondText}${String(1_000_000 + (lastUs - seconds * 1_000_000)).slice(1)}Z`;
    },
  };
}
