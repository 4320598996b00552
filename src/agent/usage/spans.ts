import type { LimitSpan } from '../../policy/types.js';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Until when the span that a moment lies in counts, in ms since the epoch. UTC, as the amounts of a policy are. */
export function spanEndMs(span: LimitSpan, nowMs: number): number {
  switch (span) {
    case 'minute':
      return (Math.floor(nowMs / MINUTE_MS) + 1) * MINUTE_MS;
    case 'day':
      return (Math.floor(nowMs / DAY_MS) + 1) * DAY_MS;
    case 'month': {
      const now = new Date(nowMs);
      return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1);
    }
  }
}
