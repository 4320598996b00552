import type { Clock } from '../core/clock.js';

/** The machine's clock, with microseconds, never going backwards within this process. */
export function systemClock(): Clock {
  let lastUs = 0n;
  // The wall clock has milliseconds; the high-resolution one tells how far into them we are.
  const startUs = BigInt(Date.now()) * 1000n;
  const startNs = process.hrtime.bigint();
  return {
    nowMs: () => Date.now(),
    timestamp: () => {
      const wallUs = BigInt(Date.now()) * 1000n;
      const smoothUs = startUs + (process.hrtime.bigint() - startNs) / 1000n;
      // Where the wall clock was set or the machine slept, the wall clock is right.
      const drifted = smoothUs < wallUs - 50_000n || smoothUs > wallUs + 50_000n;
      const us = drifted ? wallUs : smoothUs;
      lastUs = us > lastUs ? us : lastUs + 1n;
      const micros = String(lastUs % 1_000_000n).padStart(6, '0');
      return `${new Date(Number(lastUs / 1000n)).toISOString().slice(0, 19)}.${micros}Z`;
    },
  };
}
