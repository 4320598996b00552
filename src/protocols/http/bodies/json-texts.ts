import { isFault } from '../../../core/errors.js';
import { parseJsonTree } from '../../../core/json-tree.js';
import type { JsonNode } from '../../../core/json-tree.js';

/** A JSON text inside of another text. */
export interface JsonText {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly text: string;
  readonly tree: JsonNode;
}

/** The JSON texts of a file: the whole of it, or one a line, as in batches. None where it is anything else. */
export function jsonTextsIn(text: string): readonly JsonText[] {
  if (!/^\s*[[{]/.test(text)) return [];
  const whole = parseJsonTree(text);
  if (!isFault(whole)) return [{ from: 0, to: text.length, text, tree: whole }];
  const found: JsonText[] = [];
  let from = 0;
  for (const line of text.split('\n')) {
    const to = from + line.length;
    if (line.trim() !== '') {
      const tree = parseJsonTree(line);
      if (isFault(tree)) return [];
      found.push({ from, to, text: line, tree });
    }
    from = to + 1;
  }
  return found;
}

const LOOKED_AT_BYTES = 1_024;
/** As the beginning of a map or list does, in any encoding and behind any byte order mark. */
const JSON_BEGINNING = /^[\s\u00EF\u00BB\u00BF\u00FE\u00FF]*(?:\{\s*["}]|\[\s*[[{"])/;

/** Might a reader take it for JSON, if only for that of its beginning? */
export function looksLikeJson(bytes: Uint8Array): boolean {
  const text = Array.from(bytes.subarray(0, LOOKED_AT_BYTES), (byte) => String.fromCharCode(byte)).join('');
  return JSON_BEGINNING.test(text.replaceAll('\0', ''));
}
