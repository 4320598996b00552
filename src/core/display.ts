/** Most of what is shown, and seen to be harmless at once. */
const ASCII = /^[\x20-\x7e]*$/;

/**
 * What acts on a terminal or is not seen: control characters, bidirectional overrides, separators, and all that Unicode
 * gives no shape of its own: fillers, tags, variation selectors. One of these that makes a symbol an emoji is left alone.
 *
 * @see https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point
 */
const UNSAFE =
  /(?<!\p{Extended_Pictographic})\ufe0f|(?!\ufe0f)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * Makes data safe to show in a terminal or a log line: what could act on the reader's terminal (escape sequences, control
 * characters, bidirectional overrides) or hide from the reader (invisible characters) is shown as `\x1b`, `\u202e`, never
 * sent.
 *
 * @param options.keepNewlines leave `\n` and `\t` as they are, for multi-line blocks
 */
export function escapeControls(text: string, options: { readonly keepNewlines?: boolean } = {}): string {
  if (ASCII.test(text)) return text;
  return text.replace(UNSAFE, (char) => {
    if (options.keepNewlines === true && (char === '\n' || char === '\t')) return char;
    if (char === '\n') return '\\n';
    if (char === '\t') return '\\t';
    if (char === '\r') return '\\r';
    const hex = (char.codePointAt(0) ?? 0).toString(16);
    if (hex.length > 4) return `\\u{${hex}}`;
    return hex.length <= 2 ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`;
  });
}

const ZERO_WIDTH = /^[\p{Mn}\p{Me}]$/u;
const TWO_WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]$/u;

/** Terminal cells that `text` takes: East Asian wide characters and emoji two, combining marks none. */
export function displayWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const char of text) width += ZERO_WIDTH.test(char) ? 0 : TWO_WIDE.test(char) ? 2 : 1;
  return width;
}

/**
 * A value as one line of JSON. `JSON.stringify` leaves some characters bare that act on a terminal;
 * as `\u009b` they mean the same to a parser and do nothing.
 */
export function toJsonLine(value: unknown): string {
  return quietJson(JSON.stringify(value));
}

/** The same JSON, to the last digit of its numbers, without characters that act on a terminal. */
export function quietJson(json: string): string {
  return json.replace(/[\u007f-\u{10ffff}]/gu, (char) => {
    if (escapeControls(char) === char) return char;
    return Array.from(
      { length: char.length },
      (_, at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`,
    ).join('');
  });
}
