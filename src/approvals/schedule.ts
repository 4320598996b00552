import type { Schedule } from '../core/resources.js';

const MINUTES_PER_DAY = 24 * 60;
const MS_PER_MINUTE = 60_000;
/** Windows that follow each other without a gap are walked through up to this many. */
const MAX_WINDOWS = 400;

/** Is this moment within the hours of the schedule, by the clocks of its time zone? */
export function isWithin(schedule: Schedule, atMs: number): boolean {
  const { day, minute } = localTime(schedule.timezone, atMs);
  const { days, fromMinute, toMinute } = schedule;
  if (fromMinute < toMinute) return days.includes(day) && minute >= fromMinute && minute < toMinute;
  // Over midnight: the early hours belong to the day before.
  return (days.includes(day) && minute >= fromMinute) || (days.includes((day + 6) % 7) && minute < toMinute);
}

/**
 * When the hours that hold now are over, in ms since the epoch; windows without a gap between them count as one.
 *
 * @param limitMs no later moment is of interest
 */
export function endOfWindow(schedule: Schedule, atMs: number, limitMs: number): number {
  let endMs = atMs;
  for (let walked = 0; walked < MAX_WINDOWS && endMs < limitMs && isWithin(schedule, endMs); walked += 1) {
    const { minute, msIntoMinute } = localTime(schedule.timezone, endMs);
    const left = (schedule.toMinute - minute + MINUTES_PER_DAY) % MINUTES_PER_DAY;
    endMs += (left === 0 ? MINUTES_PER_DAY : left) * MS_PER_MINUTE - msIntoMinute;
    endMs -= overshoot(schedule, endMs);
  }
  return Math.min(endMs, limitMs);
}

/** Clocks that are put forward or back on the way shift the end by what they moved, at most a few hours. */
function overshoot(schedule: Schedule, endMs: number): number {
  const { minute } = localTime(schedule.timezone, endMs);
  const off = (minute - schedule.toMinute + MINUTES_PER_DAY) % MINUTES_PER_DAY;
  return (off > MINUTES_PER_DAY / 2 ? off - MINUTES_PER_DAY : off) * MS_PER_MINUTE;
}

/** `mon, tue 09:00–18:00 Europe/Berlin`, for messages. */
export function scheduleText({ days, fromMinute, toMinute, timezone }: Schedule): string {
  const names = days.length === 7 ? 'every day' : days.map((day) => DAY_NAMES[day] ?? '').join(', ');
  return `${names} ${clockText(fromMinute)}–${clockText(toMinute)} ${timezone}`;
}

/** In the order of `Date.getDay`. */
export const DAY_NAMES: readonly string[] = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

function clockText(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
}

/** One format a time zone: making it costs more than all else here. */
const formats = new Map<string, Intl.DateTimeFormat>();

function localTime(
  timezone: string,
  atMs: number,
): { readonly day: number; readonly minute: number; readonly msIntoMinute: number } {
  let format = formats.get(timezone);
  if (format === undefined) {
    const wanted = { weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
    format = new Intl.DateTimeFormat('en-US', { ...wanted, timeZone: timezone });
    formats.set(timezone, format);
  }
  const parts = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, value]));
  const day = DAY_NAMES.indexOf((parts.get('weekday') ?? '').toLowerCase());
  const minute = Number(parts.get('hour')) * 60 + Number(parts.get('minute'));
  // Offsets of time zones are whole minutes.
  return { day, minute, msIntoMinute: ((atMs % MS_PER_MINUTE) + MS_PER_MINUTE) % MS_PER_MINUTE };
}
