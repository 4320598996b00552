import { isFault, type Fault } from '../../core/errors.js';
import { maskPaths, type PathMaskOptions } from './path-masking.js';

const BYTE_ORDER_MARK = '\uFEFF';
/** Before each text of a sequence. @see https://www.rfc-editor.org/rfc/rfc7464#section-2.2 */
const RECORD_SEPARATOR = '\u001e';
/** `text/json` was never registered, and is sent. */
const JSON_TYPES = /^(?:application|text)\/(?:x-)?json$|\+json$/;
const LINES_TYPES = /^(?:application\/(?:x-)?(?:ndjson|jsonlines|json-?lines|jsonl)|application\/json-seq)$/;
/** Data of an event that must be JSON: a map or list. `[DONE]` is how streams of models end. */
const DATA = /^data: ?(?=[ \t]*(?:\{|\[(?!DONE\])))/;

/**
 * Masks the rules' paths in a whole body: one JSON text, one a line, or the data of an event stream.
 *
 * @param contentType lower-case, without parameters
 * @returns undefined where nothing is masked, also where the body holds no JSON (HTML, an image); a fault `protocol`
 *   where it should hold JSON and can't be read: nothing of it may go out
 */
export function maskBodyPaths(body: string, contentType: string, options: PathMaskOptions): string | undefined | Fault {
  const text = body.startsWith(BYTE_ORDER_MARK) ? body.slice(1) : body;
  const masked = maskText(text, contentType, options);
  return typeof masked === 'string' && text !== body ? BYTE_ORDER_MARK + masked : masked;
}

function maskText(text: string, contentType: string, options: PathMaskOptions): string | undefined | Fault {
  if (JSON_TYPES.test(contentType)) return text.trim() === '' ? undefined : maskPaths(text, options);
  if (LINES_TYPES.test(contentType))
    return maskEachLine(text, (line) => (line.startsWith(RECORD_SEPARATOR) ? RECORD_SEPARATOR : ''), options);
  if (contentType === 'text/event-stream') return maskEachLine(text, (line) => DATA.exec(line)?.[0], options);
  if (!/^[ \t\r\n]*[{[]/.test(text)) return undefined;
  const masked = maskPaths(text, options);
  // Servers that name a wrong type are no way round a mask; what is not said to be JSON and is none, is something else.
  return isFault(masked) ? undefined : masked;
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
