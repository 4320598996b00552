import { member } from '../../../core/json-tree.js';
import type { JsonObject, JsonString } from '../../../core/json-tree.js';
import { base64Bytes, base64Text } from './base64.js';
import { isInspectable } from './body.js';

/** A text file that stands in a body in base64. */
export interface InlineText {
  readonly text: string;
  /** The same file with other text, as it would stand in the body. */
  encoded(text: string): string;
}

const DATA_URL = /^data:([^,]*?);base64,/i;
/** Formats that are written in printable characters and are no text to a reader. */
const NO_TEXT = /^(?:%PDF-|\{\\rtf|%!PS|begin [0-7]{3} )/;
// eslint-disable-next-line no-control-regex -- what no text file holds
const CONTROL = /[\0-\x08\x0e-\x1a\x1c-\x1f]/;
const UNKNOWN_TYPES: readonly string[] = ['', 'application/octet-stream'];

/**
 * Reads a file in base64, plain or as a data URL.
 *
 * @param parent the object around it, which may name its type in `media_type`, `mime_type` or `mimeType`
 * @returns a word for its kind where it is no text
 */
export function readInlineFile(value: string, parent: JsonObject | undefined): InlineText | string {
  const prefix = DATA_URL.exec(value);
  const type = (prefix?.[1] ?? typeIn(parent)).toLowerCase();
  if (isForeign(type)) return kindOf(type);
  const head = prefix?.[0] ?? '';
  const bytes = base64Bytes(value.slice(head.length));
  const read = bytes === undefined ? 'a file' : fileText(bytes, type);
  if (typeof read === 'string') return read;
  return { ...read, encoded: (other) => head + base64Text(new TextEncoder().encode(other)) };
}

/**
 * A text that stands in base64 in the place of text: as a data URL, or beside the type that it says to have.
 *
 * @returns undefined for anything else: what is no text is no file either, as far as anyone can tell
 */
export function inlineTextIn(node: JsonString, parent: JsonObject | undefined): InlineText | undefined {
  const named = parent?.members.some(({ name, value }) => name === 'data' && value === node) === true;
  if (!DATA_URL.test(node.value) && !(named && typeIn(parent) !== '')) return undefined;
  const file = readInlineFile(node.value, parent);
  return typeof file === 'string' ? undefined : file;
}

/**
 * Reads the bytes of a file.
 *
 * @param type media type in lower case, with its charset; empty where none is told
 * @returns a word for its kind where it is no text
 */
export function fileText(bytes: Uint8Array, type: string): { readonly text: string } | string {
  if (isForeign(type)) return kindOf(type);
  const text = plainText(bytes);
  return text === undefined ? 'a file' : { text };
}

function isForeign(type: string): boolean {
  return !UNKNOWN_TYPES.includes(type) && !isInspectable(type);
}

function typeIn(parent: JsonObject | undefined): string {
  const node = member(parent, 'media_type') ?? member(parent, 'mime_type') ?? member(parent, 'mimeType');
  return node?.kind === 'string' ? node.value : '';
}

function kindOf(type: string): string {
  if (type.startsWith('image/')) return 'an image';
  if (type.startsWith('audio/')) return 'audio';
  return type.startsWith('video/') ? 'video' : 'a file';
}

function plainText(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return isNoText(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Is what begins like this, though it has characters alone, no text to a reader? */
export function isNoText(text: string): boolean {
  return CONTROL.test(text) || NO_TEXT.test(text);
}
