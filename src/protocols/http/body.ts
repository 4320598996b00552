import { isFault } from '../../core/errors.js';
import { parseJsonTree } from '../../core/json-tree.js';
import type { JsonNode } from '../../core/json-tree.js';
import type { ReadBody } from './dialect.js';

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

/** Can a body of this type be read, and masked, as text? False for a charset other than UTF-8, whatever the type. */
export function isInspectable(contentType: string): boolean {
  return isTextType(contentType) && hasReadCharset(contentType);
}

function hasReadCharset(contentType: string): boolean {
  return READ_CHARSETS.includes(mediaTypeOf(contentType).charset);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads a body that is there whole, decoded of any content coding.
 *
 * It is JSON where its type says so, and wherever it looks like it and can be read as such: many servers, models' among
 * them, read JSON whatever the type says. Bytes that are no UTF-8, or said to be of another charset, are no text.
 *
 * @param contentType the header's value, with its parameters; empty where none was sent
 */
export function readBody(bytes: Uint8Array, contentType: string): ReadBody {
  const text = hasReadCharset(contentType) ? utf8Text(bytes) : undefined;
  if (text === undefined) return { bytes, json: undefined, text: '' };
  return { bytes, text, json: isJsonType(contentType) || /^\s*[[{]/.test(text) ? jsonOf(text) : undefined };
}

function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

function jsonOf(text: string): JsonNode | undefined {
  const tree = parseJsonTree(text);
  return isFault(tree) ? undefined : tree;
}
