import { z } from 'zod';
import type { Schedule } from '../../core/resources.js';

/** In the order of `Date.getDay`. */
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const HOURS = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)$/;
const MINUTES_PER_DAY = 24 * 60;

/** `mon`, or a span such as `mon-fri`; gives the numbers of the days, 0 for Sunday. */
const dayNames = z.string().transform((text, context): number[] => {
  const [first, last] = text.split('-').map((name) => (DAYS as readonly string[]).indexOf(name));
  if (first === undefined || first < 0 || text.split('-').length > 2 || (last !== undefined && last < 0)) {
    context.addIssue({ code: 'custom', message: `expected a day (${DAYS.join(', ')}) or a span such as mon-fri` });
    return z.NEVER;
  }
  const span = ((last ?? first) - first + 7) % 7;
  return Array.from({ length: span + 1 }, (_, index) => (first + index) % 7);
});

const hours = z.string().transform((text, context): { fromMinute: number; toMinute: number } => {
  const [, fromHour, fromMin, toHour, toMin] = (HOURS.exec(text) ?? []).map(Number);
  const fromMinute = (fromHour ?? NaN) * 60 + (fromMin ?? 0);
  const toMinute = (toHour ?? NaN) * 60 + (toMin ?? 0);
  if (toMinute <= MINUTES_PER_DAY && fromMinute !== toMinute) return { fromMinute, toMinute };
  context.addIssue({ code: 'custom', message: 'expected hours such as 09:00-18:00; 22:00-06:00 is over midnight' });
  return z.NEVER;
});

const timezone = z.string().refine(
  (name) => {
    try {
      new Intl.DateTimeFormat('en-US', { timeZone: name });
      return true;
    } catch {
      return false;
    }
  },
  { message: 'expected the IANA name of a time zone, such as Europe/Berlin' },
);

/** `{ days: [mon-fri], hours: '09:00-18:00', timezone: Europe/Berlin }`; every day, all day, UTC where left out. */
export const scheduleSchema = z
  .strictObject({
    days: z.array(dayNames).min(1, 'expected at least one day').default([]),
    hours: hours.default({ fromMinute: 0, toMinute: MINUTES_PER_DAY }),
    timezone: timezone.default('UTC'),
  })
  .transform(({ days, hours: span, timezone: zone }): Schedule => {
    const named = [...new Set(days.flat())].sort((one, other) => one - other);
    return { days: named.length === 0 ? [0, 1, 2, 3, 4, 5, 6] : named, ...span, timezone: zone };
  });
