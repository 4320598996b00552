const QUOTE = 0x27;
const BACKSLASH = 0x5c;
const DOLLAR = 0x24;

/**
 * Where the constant that begins at `from` ends in a statement's text; undefined for spellings that are left alone:
 * `U&'…'`, `N'…'`, numbers in other notations. Strings that go on behind a line break are cut short: who replaces a
 * constant has to read the text again.
 *
 * @see https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-CONSTANTS
 */
export function constantEnd(text: Uint8Array, from: number): number | undefined {
  const first = text[from];
  if (first === QUOTE) return stringEnd(text, from + 1, false);
  if ((first === 0x45 || first === 0x65) && text[from + 1] === QUOTE) return stringEnd(text, from + 2, true);
  if (first === DOLLAR) return dollarEnd(text, from);
  return numberEnd(text, from);
}

function stringEnd(text: Uint8Array, from: number, escapes: boolean): number | undefined {
  for (let at = from; at < text.length; at += 1) {
    if (escapes && text[at] === BACKSLASH) at += 1;
    else if (text[at] === QUOTE) {
      if (text[at + 1] !== QUOTE) return at + 1;
      at += 1;
    }
  }
  return undefined;
}

function dollarEnd(text: Uint8Array, from: number): number | undefined {
  const tagEnd = text.indexOf(DOLLAR, from + 1);
  if (tagEnd < 0) return undefined;
  const tag = text.subarray(from, tagEnd + 1);
  for (let at = text.indexOf(DOLLAR, tagEnd + 1); at >= 0; at = text.indexOf(DOLLAR, at + 1))
    if (tag.every((byte, index) => text[at + index] === byte)) return at + tag.length;
  return undefined;
}

/** `-12`, `12.50`; no spaces behind the sign. */
function numberEnd(text: Uint8Array, from: number): number | undefined {
  const ahead = String.fromCharCode(...text.subarray(from, from + 64));
  const length = /^-?\d+(?:\.\d+)?(?![\w.$])/.exec(ahead)?.[0].length;
  return length === undefined ? undefined : from + length;
}
