// eslint-disable-next-line no-control-regex -- finding control characters is the point
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/**
 * Makes data safe to show in a terminal or a log line: what could act on the reader's terminal
 * (escape sequences, control characters, bidirectional overrides, invisible separators) is shown
 * as `\x1b`, `\u202e`, never sent.
 *
 * @param options.keepNewlines leave `\n` and `\t` as they are, for multi-line blocks
 */
export function escapeControls(text: string, options: { readonly keepNewlines?: boolean } = {}): string {
  return text.replace(UNSAFE, (char) => {
    if (options.keepNewlines === true && (char === '\n' || char === '\t')) return char;
    const code = char.charCodeAt(0);
    if (char === '\n') return '\\n';
    if (char === '\t') return '\\t';
    if (char === '\r') return '\\r';
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** Most of what is measured, and measured at once. */
const ASCII = /^[\x20-\x7e]*$/;
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
  return json.replace(/[\u007f-\uffff]/g, (char) =>
    escapeControls(char) === char ? char : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
