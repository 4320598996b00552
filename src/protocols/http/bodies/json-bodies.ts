import { isFault, type Fault } from '../../../core/errors.js';
import { isJsonType, isLinesType, mediaTypeOf } from './body.js';
import { maskPaths, type PathMaskOptions } from './path-masking.js';

const BYTE_ORDER_MARK = '\uFEFF';
/** Before each text of a sequence. @see https://www.rfc-editor.org/rfc/rfc7464#section-2.2 */
const RECORD_SEPARATOR = '\u001e';
/** Data of an event that must be JSON: a map or list. `[DONE]` is how streams of models end. */
const DATA = /^data: ?(?=[ \t]*(?:\{|\[(?!DONE\])))/;

/** How JSON stands in a body: one text, one a line, in the data of events; `maybe` where the type says nothing of JSON. */
export type JsonForm = 'text' | 'lines' | 'events' | 'maybe';

/** @param contentType the header's value; empty where none was sent */
export function jsonForm(contentType: string): JsonForm {
  const { type } = mediaTypeOf(contentType);
  if (type === 'text/event-stream') return 'events';
  if (isLinesType(type)) return 'lines';
  return isJsonType(type) ? 'text' : 'maybe';
}

/**
 * Masks the rules' paths in a whole body, or in whole lines of one of the form `lines` or `events`.
 *
 * @param contentType the header's value; empty where none was sent
 * @returns undefined where nothing is masked, also where the body holds no JSON (HTML, an image); a fault `protocol`
 *   where it should hold JSON and can't be read: nothing of it may go out
 */
export function maskBodyPaths(body: string, contentType: string, options: PathMaskOptions): string | undefined | Fault {
  const text = body.startsWith(BYTE_ORDER_MARK) ? body.slice(1) : body;
  const masked = maskForm(text, jsonForm(contentType), options);
  return typeof masked === 'string' && text !== body ? BYTE_ORDER_MARK + masked : masked;
}

function maskForm(text: string, form: JsonForm, options: PathMaskOptions): string | undefined | Fault {
  switch (form) {
    case 'text':
      return text.trim() === '' ? undefined : maskPaths(text, options);
    case 'lines':
      return maskEachLine(text, (line) => (line.startsWith(RECORD_SEPARATOR) ? RECORD_SEPARATOR : ''), options);
    case 'events':
      return maskEachLine(text, (line) => DATA.exec(line)?.[0], options);
    case 'maybe': {
      // Servers that name a wrong type are no way round a mask; what is not said to be JSON and is none, is something else.
      const masked = /^[ \t\r\n]*[{[]/.test(text) ? maskPaths(text, options) : undefined;
      return isFault(masked) ? undefined : masked;
    }
  }
}

/** @param leadOf what stands before the JSON of a line; undefined for a line that holds none */
function maskEachLine(
  text: string,
  leadOf: (line: string) => string | undefined,
  options: PathMaskOptions,
): string | undefined | Fault {
  let changed = false;
  const lines: string[] = [];
  for (const line of text.split(/(\r\n|\r|\n)/)) {
    const before = leadOf(line);
    const json = before === undefined ? '' : line.slice(before.length);
    const masked = json.trim() === '' ? undefined : maskPaths(json, options);
    if (isFault(masked)) return masked;
    changed ||= masked !== undefined;
    lines.push(masked === undefined ? line : `${before ?? ''}${masked}`);
  }
  return changed ? lines.join('') : undefined;
}
