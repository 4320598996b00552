/**
 * One piece of a statement's text: a string with what it says and how other content is written in its place, or anything
 * else by its end.
 *
 * @see https://www.postgresql.org/docs/current/sql-syntax-lexical.html
 */
export type SqlToken =
  { readonly kind: 'space' | 'name' | 'word' | 'sign' | 'parameter'; readonly end: number } | SqlString;

export interface SqlString {
  readonly kind: 'string';
  readonly end: number;
  readonly content: string;
  readonly write: (content: string) => string;
}

const SPACE = /[\s\0]+|--[^\n\r]*/y;
const WORD = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y;
const PARAMETER = /\$\d{1,5}/y;
const OPENING = /(?:[nbxe]|u&)?'/iy;
const DOLLAR = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y;

const [SINGLE, DOUBLE, DOLLAR_SIGN, MINUS, SLASH, UNDERSCORE] = [0x27, 0x22, 0x24, 0x2d, 0x2f, 0x5f];

/** So many openings that nothing closes are looked for to the end of the text; further ones are signs. */
const MAX_UNCLOSED = 32;

/**
 * The tokens of a text that may be no SQL at all: an opening that nothing closes is a sign like any other. Every character
 * is in one token, so that a text can be written again from them. Linear in the text.
 */
export class SqlTokens {
  #unclosed = 0;

  constructor(private readonly text: string) {}

  /** @param secret what follows may be a password: a string that nothing closes then goes to the end of the text */
  at(from: number, secret: boolean): SqlToken {
    const { text } = this;
    const code = text.charCodeAt(from);
    if (code <= 0x20 || code === MINUS || code >= 0x80) {
      const space = lengthAt(SPACE, text, from);
      if (space > 0) return { kind: 'space', end: from + space };
    }
    if (code === SLASH && text.startsWith('/*', from)) return { kind: 'space', end: commentEnd(text, from) };
    if (code === DOLLAR_SIGN) return this.#parameter(from) ?? this.#dollar(from) ?? { kind: 'sign', end: from + 1 };
    if (code === DOUBLE) return this.#name(from);
    const isWord = code >= 0x80 || code === UNDERSCORE || isLetter(code);
    if (code === SINGLE || isWord) {
      const opening = lengthAt(OPENING, text, from);
      const string = opening === 0 ? undefined : this.#quoted(from, opening, secret);
      if (string !== undefined) return string;
    }
    return isWord ? { kind: 'word', end: from + lengthAt(WORD, text, from) } : { kind: 'sign', end: from + 1 };
  }

  #parameter(from: number): SqlToken | undefined {
    const length = lengthAt(PARAMETER, this.text, from);
    return length === 0 ? undefined : { kind: 'parameter', end: from + length };
  }

  #name(from: number): SqlToken {
    const end = this.#unclosed < MAX_UNCLOSED ? quoteEnd(this.text, from + 1, '"', false) : undefined;
    if (end !== undefined) return { kind: 'name', end };
    this.#unclosed += 1;
    return { kind: 'sign', end: from + 1 };
  }

  #quoted(from: number, opening: number, secret: boolean): SqlString | undefined {
    const { text } = this;
    const escapes = /^e/i.test(text[from] ?? '');
    const start = from + opening;
    const end = this.#unclosed < MAX_UNCLOSED ? quoteEnd(text, start, "'", escapes) : undefined;
    if (end === undefined) {
      this.#unclosed += 1;
      return secret ? { kind: 'string', end: text.length, content: text.slice(start), write: plainString } : undefined;
    }
    const spelt = text.slice(start, end - 1);
    // Of the escapes only those of a quote and of a backslash bear on where a password ends.
    return escapes
      ? { kind: 'string', end, content: spelt.replace(/'(')|\\([^])/g, '$1$2'), write: escapedString }
      : { kind: 'string', end, content: spelt.replaceAll("''", "'"), write: plainString };
  }

  #dollar(from: number): SqlString | undefined {
    const { text } = this;
    if (this.#unclosed >= MAX_UNCLOSED) return undefined;
    const tag = text.slice(from, from + lengthAt(DOLLAR, text, from));
    if (tag === '') return undefined;
    const start = from + tag.length;
    const end = text.indexOf(tag, start);
    if (end >= 0)
      return {
        kind: 'string',
        end: end + tag.length,
        content: text.slice(start, end),
        write: (own) => tag + own + tag,
      };
    this.#unclosed += 1;
    return undefined;
  }
}

const plainString = (content: string): string => `'${content.replaceAll("'", "''")}'`;
const escapedString = (content: string): string => `E'${content.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;

/** Of ASCII. */
function isLetter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a);
}

/** Behind the quote that closes; two of them are one within. */
function quoteEnd(text: string, from: number, quote: string, escapes: boolean): number | undefined {
  for (let at = from; ;) {
    const end = text.indexOf(quote, at);
    if (end < 0) return undefined;
    if (escapes && isEscaped(text, from, end)) at = end + 1;
    else if (text[end + 1] === quote) at = end + 2;
    else return end + 1;
  }
}

function isEscaped(text: string, from: number, at: number): boolean {
  let slashes = 0;
  while (at - slashes > from && text[at - slashes - 1] === '\\') slashes += 1;
  return slashes % 2 === 1;
}

/** Comments nest; one that nothing closes goes to the end. */
function commentEnd(text: string, from: number): number {
  const marks = /\/\*|\*\//g;
  marks.lastIndex = from;
  let depth = 0;
  for (let mark = marks.exec(text); mark !== null; mark = marks.exec(text)) {
    depth += mark[0] === '/*' ? 1 : -1;
    if (depth === 0) return marks.lastIndex;
  }
  return text.length;
}

function lengthAt(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0].length ?? 0;
}
