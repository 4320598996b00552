import type { EventLine, ServerEvent } from './event-stream-reader.js';

const LINE_BREAK = /\r\n|\r|\n/;
const LINE_BREAKS = /\r\n|\r|\n/g;

/**
 * An event with other data: each of its lines stays where it stands, with its end.
 *
 * @param maskLine what becomes of a line that holds no data: comments and names are sent to the client too
 * @returns the event's own bytes where nothing changed
 */
export function rewriteEvent(
  event: ServerEvent,
  data: string | undefined,
  maskLine: (line: string) => string,
): Uint8Array {
  const values = data === event.data || data === undefined ? undefined : data.split(LINE_BREAK);
  let changed = values !== undefined;
  const last = event.lines.findLast((line) => line.field === 'data');
  let text = '';
  for (const line of event.lines) {
    if (line.field === 'data')
      text += values === undefined ? line.text + line.end : dataLines(line, values, line === last);
    else {
      const masked = line.text === '' ? '' : maskLine(line.text).replace(LINE_BREAKS, ' ');
      changed ||= masked !== line.text;
      text += masked + line.end;
    }
  }
  return changed ? new TextEncoder().encode(text) : event.raw;
}

/** An event of our own making. */
export function writeEvent(name: string, data: string): string {
  const lines = data.split(LINE_BREAK).map((line) => `data: ${line}\n`);
  return `${name === '' ? '' : `event: ${name}\n`}${lines.join('')}\n`;
}

/** Takes what this line holds off `values`; the last line of data holds all that are left. */
function dataLines(line: EventLine, values: string[], last: boolean): string {
  const head = line.text.slice(0, line.valueFrom);
  // Without a colon there is no room for a value.
  const prefix = head.endsWith(':') || head.endsWith(' ') ? head : 'data: ';
  return values
    .splice(0, last ? values.length : 1)
    .map((value) => `${prefix}${value}${line.end}`)
    .join(line.end === '' ? '\n' : '');
}
