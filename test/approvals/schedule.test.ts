import { describe, expect, it } from 'vitest';
import { endOfWindow, isWithin, scheduleText } from '../../src/approvals/schedule.js';
import type { Schedule } from '../../src/core/resources.js';

const at = (text: string): number => Date.parse(text);
const office: Schedule = { days: [1, 2, 3, 4, 5], fromMinute: 540, toMinute: 1_080, timezone: 'Europe/Berlin' };
const night: Schedule = { days: [5], fromMinute: 1_320, toMinute: 360, timezone: 'UTC' };
const weekdays: Schedule = { days: [1, 2, 3, 4, 5], fromMinute: 0, toMinute: 1_440, timezone: 'UTC' };
const always: Schedule = { ...weekdays, days: [0, 1, 2, 3, 4, 5, 6] };
const far = at('2030-01-01T00:00:00Z');

describe('a schedule', () => {
  it.each([
    ['Friday 09:00 in Berlin', office, '2026-11-27T08:00:00Z', true],
    ['Friday 08:59:59 in Berlin', office, '2026-11-27T07:59:59.999Z', false],
    ['Friday 18:00 in Berlin', office, '2026-11-27T17:00:00Z', false],
    ['Saturday noon', office, '2026-11-28T11:00:00Z', false],
    ['the same hour in summer, one hour earlier in UTC', office, '2026-07-03T07:00:00Z', true],
    ['Friday night', night, '2026-11-27T23:00:00Z', true],
    ['early on Saturday, which belongs to Friday night', night, '2026-11-28T05:59:00Z', true],
    ['early on Friday, which belongs to Thursday night', night, '2026-11-27T05:00:00Z', false],
  ])('knows whether %s is within', (_what, schedule, when, within) => {
    expect(isWithin(schedule, at(when))).toBe(within);
  });

  it('ends with its hours, to the second', () => {
    expect(new Date(endOfWindow(office, at('2026-11-27T12:34:56.789Z'), far)).toISOString()).toBe(
      '2026-11-27T17:00:00.000Z',
    );
    expect(new Date(endOfWindow(night, at('2026-11-27T23:10:00Z'), far)).toISOString()).toBe(
      '2026-11-28T06:00:00.000Z',
    );
  });

  it('goes on over midnight where the next day follows without a gap, and never beyond the limit', () => {
    expect(new Date(endOfWindow(weekdays, at('2026-11-23T10:00:00Z'), far)).toISOString()).toBe(
      '2026-11-28T00:00:00.000Z',
    );
    expect(endOfWindow(always, at('2026-11-23T10:00:00Z'), at('2026-12-01T00:00:00Z'))).toBe(
      at('2026-12-01T00:00:00Z'),
    );
  });

  it('ends by the clock on the wall when the clocks are put back in between', () => {
    // 25 October 2026: 03:00 becomes 02:00 in Berlin.
    const sunday: Schedule = { ...office, days: [0], fromMinute: 60, toMinute: 300 };
    expect(new Date(endOfWindow(sunday, at('2026-10-25T00:30:00Z'), far)).toISOString()).toBe(
      '2026-10-25T04:00:00.000Z',
    );
  });

  it('is named in messages', () => {
    expect(scheduleText(office)).toBe('mon, tue, wed, thu, fri 09:00–18:00 Europe/Berlin');
    expect(scheduleText(always)).toBe('every day 00:00–24:00 UTC');
  });
});
