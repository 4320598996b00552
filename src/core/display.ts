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
