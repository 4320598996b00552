import { isFault } from '../../../core/errors.js';
import { parseJsonTree } from '../../../core/json-tree.js';
import type { JsonNode } from '../../../core/json-tree.js';
import { hasReadCharset, isJsonType } from './body.js';
import type { ReadBody } from '../dialect.js';
import { readMultipart } from './multipart.js';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads a body that is there whole, decoded of any content coding.
 *
 * It is JSON where its type says so, and wherever it looks like it and can be read as such: many servers, models' among
 * them, read JSON whatever the type says. Bytes that are no UTF-8, that hold zeros, or that are said to be of another charset, are no text.
 *
 * @param contentType the header's value, with its parameters; empty where none was sent
 */
export function readBody(bytes: Uint8Array, contentType: string): ReadBody {
  const parts = contentType === '' ? undefined : readMultipart(bytes, contentType);
  const text = hasReadCharset(contentType) ? utf8Text(bytes) : undefined;
  if (parts !== undefined) return { bytes, text: text ?? '', json: undefined, parts };
  if (text === undefined) return { bytes, json: undefined, text: '' };
  return { bytes, text, json: isJsonType(contentType) || /^\s*[[{]/.test(text) ? jsonOf(text) : undefined };
}

/** UTF-16 is UTF-8 too where it is of ASCII, with a zero for each second byte: readers of JSON know it by that. */
function utf8Text(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
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
