const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** Making a formatter costs as much as thousands of uses. Zones are few: rules name them as literals. */
const formats = new Map<string, Intl.DateTimeFormat>();

/** Is it a name of the IANA time zone database, as the runtime knows it? */
export function isTimeZone(zone: string): boolean {
  try {
    formatOf(zone);
    return true;
  } catch {
    return false;
  }
}

/**
 * `HH:MM` in that zone, from `00:00` to `23:59`: compares as text.
 *
 * @throws RangeError for a zone that does not exist
 */
export function timeOfDay(moment: Date, zone: string): string {
  const { hour, minute } = partsOf(moment, zone);
  return `${hour}:${minute}`;
}

/**
 * `mon`, `tue`, … `sun` in that zone.
 *
 * @throws RangeError for a zone that does not exist
 */
export function weekday(moment: Date, zone: string): string {
  const name = partsOf(moment, zone).weekday.toLowerCase();
  if (!WEEKDAYS.includes(name)) throw new RangeError('a day of the week that is none');
  return name;
}

function partsOf(moment: Date, zone: string): Readonly<Record<'hour' | 'minute' | 'weekday', string>> {
  const parts = new Map(
    formatOf(zone)
      .formatToParts(moment)
      .map(({ type, value }) => [type, value] as const),
  );
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? '';
  return { hour: part('hour'), minute: part('minute'), weekday: part('weekday') };
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  formats.set(zone, format);
  return format;
}
