import { fileText } from './inline-file.js';
import { isInspectable, isTextType, mediaTypeOf } from './body.js';

/** Where something stands in a body, in bytes. */
export interface Span {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

/** One part of a `multipart/form-data` body. */
export interface BodyPart {
  readonly name: string;
  /** Undefined for a field; where it stands, without quotes, in `fileNameAt`. */
  readonly fileName: string | undefined;
  readonly fileNameAt: Span | undefined;
  /** Header as sent; empty where there is none. */
  readonly contentType: string;
  readonly at: Span;
  /** The digits of its own Content-Length, which some clients send. */
  readonly lengthAt: Span | undefined;
  /** What it says, or, where that is no text, a word or two for its kind. */
  readonly content: { readonly text: string } | { readonly unread: string };
}

const BOUNDARY = /;\s*boundary=(?:"([^"\\]{1,70})"|([^\s;"]{1,70}))\s*(?=;|$)/gi;
const BOUNDARY_SIGNS = /^[0-9A-Za-z'()+_,\-./:=? ]*[0-9A-Za-z'()+_,\-./:=?]$/;
/** Anything else would make the part mean something else to one reader than to the next. */
const PLAIN_CODINGS = /^(?:7bit|8bit|binary)$/i;
const HEADER = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\r\n]*?)[ \t]*$/;
const DISPOSITION = /^form-data((?:;[ \t]*[a-z]+\*?=(?:"[^"\\]*"|[^\s";\\]+))*)$/i;
const PARAMETER = /;[ \t]*([a-z]+\*?)=(?:"([^"\\]*)"|([^\s";\\]+))/gi;
const LINE = '\r\n';
const HEAD_END = '\r\n\r\n';
const MAX_PARTS = 1_000;

/**
 * Takes a form in parts apart, if that can be done in one way alone: every place where the boundary stands is a
 * delimiter, nothing stands before the first or behind the last one, no header is folded, repeated or escaped, no part
 * is encoded.
 *
 * @param contentType the header's value, with its boundary
 * @returns undefined where readers could differ in what the parts are
 * @see https://www.rfc-editor.org/rfc/rfc7578
 * @see https://www.rfc-editor.org/rfc/rfc2046#section-5.1.1
 */
export function readMultipart(bytes: Uint8Array, contentType: string): readonly BodyPart[] | undefined {
  const boundary = boundaryOf(contentType);
  if (boundary === undefined) return undefined;
  // A character a byte: offsets of the text are those of the bytes.
  const text = new TextDecoder('latin1').decode(bytes);
  const spans = partSpans(text, `--${boundary}`);
  if (spans === undefined) return undefined;
  const parts = spans.map((span) => partOf(bytes, text, span));
  return parts.every((part) => part !== undefined) && !parts.some(({ name }) => name === '_charset_')
    ? parts
    : undefined;
}

function boundaryOf(contentType: string): string | undefined {
  if (mediaTypeOf(contentType).type !== 'multipart/form-data') return undefined;
  const [found, ...more] = Array.from(contentType.matchAll(BOUNDARY), (match) => match[1] ?? match[2] ?? '');
  const named = contentType.match(/boundary/gi)?.length ?? 0;
  return found !== undefined && more.length === 0 && named === 1 && BOUNDARY_SIGNS.test(found) ? found : undefined;
}

/** From behind each delimiter's line to before the line end of the next. */
function partSpans(text: string, delimiter: string): Span[] | undefined {
  if (!text.startsWith(delimiter)) return undefined;
  const spans: Span[] = [];
  let from = delimiter.length;
  while (text.startsWith(LINE, from)) {
    // The line end before a delimiter may be that of the delimiter before: of a part without anything in it.
    const next = text.indexOf(delimiter, from);
    if (next < 0 || spans.length === MAX_PARTS || !text.startsWith(LINE, next - LINE.length)) return undefined;
    spans.push({ from: from + LINE.length, to: next - LINE.length });
    from = next + delimiter.length;
  }
  const rest = text.slice(from);
  return spans.length > 0 && (rest === '--' || rest === `--${LINE}`) ? spans : undefined;
}

function partOf(bytes: Uint8Array, text: string, span: Span): BodyPart | undefined {
  const headEnd = text.indexOf(HEAD_END, span.from);
  if (headEnd < 0 || headEnd + HEAD_END.length > span.to) return undefined;
  const headers = headersIn(text, span.from, headEnd);
  const disposition = headers?.get('content-disposition');
  if (headers === undefined || disposition === undefined) return undefined;
  const named = namesIn(disposition, bytes);
  if (named === undefined || !PLAIN_CODINGS.test(headers.get('content-transfer-encoding')?.value ?? 'binary'))
    return undefined;
  const contentType = headers.get('content-type')?.value ?? '';
  const at = { from: headEnd + HEAD_END.length, to: span.to };
  const content = contentOf(bytes.subarray(at.from, at.to), contentType, named.fileName !== undefined);
  return { ...named, contentType, at, lengthAt: headers.get('content-length')?.at, content };
}

interface PartHeader {
  readonly value: string;
  readonly at: Span;
}

const KNOWN_HEADERS = ['content-disposition', 'content-type', 'content-transfer-encoding', 'content-length'];

function headersIn(text: string, from: number, to: number): Map<string, PartHeader> | undefined {
  const headers = new Map<string, PartHeader>();
  let at = from;
  for (const line of text.slice(from, to).split(LINE)) {
    const [, name = '', value = ''] = HEADER.exec(line) ?? [];
    const key = name.toLowerCase();
    if (!KNOWN_HEADERS.includes(key) || headers.has(key)) return undefined;
    const valueFrom = at + line.indexOf(value, name.length + 1);
    headers.set(key, { value, at: { from: valueFrom, to: valueFrom + value.length } });
    at += line.length + LINE.length;
  }
  const length = headers.get('content-length');
  return length === undefined || /^\d+$/.test(length.value) ? headers : undefined;
}

function namesIn(
  { value, at }: PartHeader,
  bytes: Uint8Array,
): Pick<BodyPart, 'name' | 'fileName' | 'fileNameAt'> | undefined {
  const [, parameters] = DISPOSITION.exec(value) ?? [];
  if (parameters === undefined) return undefined;
  const found = new Map<string, { readonly text: string; readonly at: Span }>();
  for (const match of parameters.matchAll(PARAMETER)) {
    const key = (match[1] ?? '').toLowerCase();
    const sign = match[2] ?? match[3] ?? '';
    // The value is the last of the match but for a quote.
    const to = at.from + 'form-data'.length + match.index + match[0].length - (match[2] === undefined ? 0 : 1);
    const place = { from: to - sign.length, to };
    const text = utf8Text(bytes.subarray(place.from, place.to));
    if (found.has(key) || text === undefined) return undefined;
    found.set(key, { text, at: place });
  }
  const name = found.get('name')?.text;
  const file = found.get('filename');
  // `name*` and `filename*` are other spellings, of which readers take one or the other.
  if (name === undefined || name === '' || found.size !== (file === undefined ? 1 : 2)) return undefined;
  return { name, fileName: file?.text, fileNameAt: file?.at };
}

function contentOf(bytes: Uint8Array, contentType: string, isFile: boolean): BodyPart['content'] {
  if (isTextType(contentType) && !isInspectable(contentType)) return { unread: 'a part in another charset than UTF-8' };
  const { type } = mediaTypeOf(contentType);
  const read = fileText(bytes, type === '' && !isFile ? 'text/plain' : type);
  return typeof read === 'string' ? { unread: read } : read;
}

function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
