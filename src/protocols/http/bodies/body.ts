/** Besides `text/*`, `*+json` and `*+xml`. */
const TEXT_TYPES: readonly string[] = [
  'application/json',
  'application/jsonl',
  'application/json-seq',
  'application/ndjson',
  'application/x-ndjson',
  'application/xml',
  'application/xhtml+xml',
  'application/javascript',
  'application/ecmascript',
  'application/graphql',
  'application/sql',
  'application/yaml',
  'application/x-yaml',
  'application/toml',
  'application/x-www-form-urlencoded',
  'application/x-sh',
  'application/x-pem-file',
  'message/rfc822',
  'image/svg+xml',
];

export const FORM_TYPE = 'application/x-www-form-urlencoded';

/** Bytes of text are read in one way alone: in any other a mask would look at the wrong characters. */
const READ_CHARSETS: readonly string[] = ['', 'utf-8', 'utf8', 'us-ascii', 'ascii'];

const LINES_TYPES = /^application\/(?:(?:x-)?(?:ndjson|jsonlines|json-lines|jsonl)|(?:[\w.-]+\+)?json-seq)$/;

/** What a Content-Type says, in lower case. */
export interface MediaType {
  /** `type/subtype`; empty where none was sent. */
  readonly type: string;
  /** Empty where none is named. */
  readonly charset: string;
}

/** @see https://www.rfc-editor.org/rfc/rfc9110#section-8.3.1 */
export function mediaTypeOf(contentType: string): MediaType {
  const [type = '', ...parameters] = contentType.toLowerCase().split(';');
  const charset = parameters
    .map((parameter) => /^\s*charset\s*=\s*"?([^"]*?)"?\s*$/.exec(parameter)?.[1])
    .find(Boolean);
  return { type: type.trim(), charset: charset ?? '' };
}

/** Does the type promise text? */
export function isTextType(contentType: string): boolean {
  const { type } = mediaTypeOf(contentType);
  return type.startsWith('text/') || type.endsWith('+xml') || isJsonType(type) || TEXT_TYPES.includes(type);
}

/** `application/json`, `text/json` and `*+json` (RFC 6839 section 3.1). */
export function isJsonType(contentType: string): boolean {
  const { type } = mediaTypeOf(contentType);
  return type === 'application/json' || type === 'text/json' || type.endsWith('+json');
}

/** One JSON text a line, or one behind a separator. */
export function isLinesType(contentType: string): boolean {
  return LINES_TYPES.test(mediaTypeOf(contentType).type);
}

/** JSON texts that a separator stands before (RFC 7464; RFC 8091 for `+json-seq`). */
export function isSequenceType(contentType: string): boolean {
  return mediaTypeOf(contentType).type.endsWith('json-seq');
}

/** Can a body of this type be read, and masked, as text? False for a charset other than UTF-8, whatever the type. */
export function isInspectable(contentType: string): boolean {
  return isTextType(contentType) && hasReadCharset(contentType);
}

/** Is it, as far as it says, in the one charset that is read? */
export function hasReadCharset(contentType: string): boolean {
  return READ_CHARSETS.includes(mediaTypeOf(contentType).charset);
}
