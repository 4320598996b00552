/** One statement of a script, and where it stands there. */
export interface StatementText {
  readonly text: string;
  /** From 1. */
  readonly line: number;
  /** Of its first character: characters, not UTF-16 units, from 1. */
  readonly column: number;
}

/** What the characters at the reading place are part of. `from`: where the search for its end goes on. */
type Inside =
  | { readonly kind: 'plain' }
  | { readonly kind: 'quoted'; readonly quote: "'" | '"'; readonly escapes: boolean }
  | { readonly kind: 'dollar'; readonly tag: string }
  | { readonly kind: 'line-comment' }
  | { readonly kind: 'block-comment'; readonly depth: number };

const PLAIN: Inside = { kind: 'plain' };
const IDENTIFIER = /[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/y;
const DOLLAR = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/y;
const BEGUN_DOLLAR = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?$/y;
const SPACE = /\s+/y;
/** Nothing in these ends a statement or begins something that hides a semicolon. */
const OTHER = /[^\s;'"$()/A-Za-z_\u0080-\uffff-]+/y;
/** Words before the body of a function in SQL's own syntax, whose semicolons are its own. */
const ROUTINE = /^create (?:or replace )?(?:function|procedure) /;

/**
 * Cuts SQL into statements as psql does, however it arrives: semicolons in strings, dollar quotes, comments,
 * parentheses and BEGIN ATOMIC bodies do not cut. It keeps one statement and knows no grammar: what is wrong in a
 * statement, the server says when its turn comes.
 *
 * Strings are read as with `standard_conforming_strings` on, the server's default.
 *
 * @see https://www.postgresql.org/docs/current/sql-syntax-lexical.html
 */
export class StatementSplitter {
  #text = '';
  #at = 0;
  #inside: Inside = PLAIN;
  #final = false;
  #parens = 0;
  #blocks = 0;
  /** Its first words, in lower case; enough to tell a routine. */
  #words = '';
  /** Anything but comments and space. */
  #holdsSomething = false;
  /** Of `#text`'s first character. */
  #line = 1;
  #column = 1;

  /** How much is kept, in UTF-16 units: the statement that has not ended. */
  get kept(): number {
    return this.#text.length;
  }

  push(text: string): void {
    this.#text += text;
  }

  /** Nothing more comes. */
  end(): void {
    this.#final = true;
  }

  /** The next statement that is whole; undefined where more text is needed, or none is left. */
  next(): StatementText | undefined {
    while (this.#at < this.#text.length) {
      const step = this.#inside.kind === 'plain' ? this.#readPlain() : this.#readInside(this.#inside);
      if (step === 'more') break;
      if (step !== 'ended') continue;
      const statement = this.#cut(this.#at - 1, this.#at);
      if (statement !== undefined) return statement;
    }
    return this.#final ? this.#cut(this.#text.length, this.#text.length) : undefined;
  }

  /** The rest of the line on which a statement ended, and all lines behind it up to `\.`, as data of a COPY. */
  takeLine(): string | undefined {
    const end = this.#text.indexOf('\n', this.#at);
    if (end === -1 && !this.#final) return undefined;
    const stop = end === -1 ? this.#text.length : end + 1;
    const line = this.#text.slice(this.#at, stop);
    this.#at = stop;
    this.#forget(stop);
    return line;
  }

  #readPlain(): 'on' | 'more' | 'ended' {
    const rest = this.#text.length - this.#at;
    const character = this.#text[this.#at] ?? '';
    const next = this.#text[this.#at + 1];
    if (this.#match(SPACE) !== undefined) return 'on';
    if (rest === 1 && !this.#final && /[-/$']/.test(character)) return 'more';
    if (character === '-' && next === '-') return this.#enter({ kind: 'line-comment' }, 2);
    if (character === '/' && next === '*') return this.#enter({ kind: 'block-comment', depth: 1 }, 2);
    if (character === ';' && this.#parens === 0 && this.#blocks === 0) {
      this.#at += 1;
      return 'ended';
    }
    this.#holdsSomething = true;
    if (character === "'" || character === '"')
      return this.#enter({ kind: 'quoted', quote: character, escapes: false }, 1);
    if (character === '$') return this.#readDollar();
    if (character === '(') this.#parens += 1;
    if (character === ')' && this.#parens > 0) this.#parens -= 1;
    const identifier = this.#peek(IDENTIFIER);
    if (identifier !== undefined) return this.#readWord(identifier);
    if (this.#match(OTHER) === undefined) this.#at += 1;
    return 'on';
  }

  #readWord(word: string): 'on' | 'more' {
    const after = this.#text[this.#at + word.length];
    if (after === undefined && !this.#final) return 'more';
    this.#at += word.length;
    if (after === "'" && /^e$/i.test(word)) return this.#enter({ kind: 'quoted', quote: "'", escapes: true }, 1);
    if (this.#words.length < 40) this.#words += `${word.toLowerCase()} `;
    if (this.#parens === 0 && ROUTINE.test(this.#words)) this.#countBlock(word.toLowerCase());
    return 'on';
  }

  /** CASE ends with END too; it counts inside a body alone. */
  #countBlock(word: string): void {
    if (word === 'begin' || (word === 'case' && this.#blocks > 0)) this.#blocks += 1;
    else if (word === 'end' && this.#blocks > 0) this.#blocks -= 1;
  }

  #readDollar(): 'on' | 'more' {
    const tag = this.#peek(DOLLAR);
    if (tag !== undefined) return this.#enter({ kind: 'dollar', tag }, tag.length);
    if (!this.#final && this.#peek(BEGUN_DOLLAR) !== undefined) return 'more';
    this.#at += 1;
    return 'on';
  }

  #readInside(inside: Exclude<Inside, { kind: 'plain' }>): 'on' | 'more' {
    switch (inside.kind) {
      case 'line-comment':
        return this.#leaveBehind('\n');
      case 'dollar':
        return this.#leaveBehind(inside.tag);
      case 'quoted':
        return this.#readQuoted(inside.quote, inside.escapes);
      case 'block-comment':
        return this.#readComment(inside.depth);
    }
  }

  #readQuoted(quote: string, escapes: boolean): 'on' | 'more' {
    for (; this.#at < this.#text.length; this.#at += 1) {
      const character = this.#text[this.#at];
      const next = this.#text[this.#at + 1];
      const decides = character === quote || (escapes && character === '\\');
      if (!decides) continue;
      if (next === undefined && !this.#final) return 'more';
      if (character === '\\' || next === quote) this.#at += 1;
      else return this.#enter(PLAIN, 1);
    }
    return 'more';
  }

  #readComment(depth: number): 'on' | 'more' {
    const marks = /\/\*|\*\//g;
    marks.lastIndex = this.#at;
    const mark = marks.exec(this.#text)?.[0];
    if (mark === undefined) {
      // Half of a mark may be the last character.
      this.#at = Math.max(this.#at, this.#text.length - 1);
      if (this.#final) this.#at = this.#text.length;
      return 'more';
    }
    this.#at = marks.lastIndex;
    const left = mark === '/*' ? depth + 1 : depth - 1;
    return this.#enter(left === 0 ? PLAIN : { kind: 'block-comment', depth: left }, 0);
  }

  #leaveBehind(mark: string): 'on' | 'more' {
    const found = this.#text.indexOf(mark, this.#at);
    if (found !== -1) {
      this.#at = found;
      return this.#enter(PLAIN, mark.length);
    }
    this.#at = this.#final ? this.#text.length : Math.max(this.#at, this.#text.length - mark.length + 1);
    return 'more';
  }

  #enter(inside: Inside, length: number): 'on' {
    this.#inside = inside;
    this.#at += length;
    return 'on';
  }

  #peek(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text)?.[0];
  }

  #match(pattern: RegExp): string | undefined {
    const found = this.#peek(pattern);
    this.#at += found?.length ?? 0;
    return found;
  }

  /** The statement that ends at `end`; what is read up to `behind` is forgotten. */
  #cut(end: number, behind: number): StatementText | undefined {
    const whole = this.#text.slice(0, end);
    const lead = whole.length - whole.trimStart().length;
    const holdsSomething = this.#holdsSomething;
    this.#forget(lead);
    const statement = { text: whole.trim(), line: this.#line, column: this.#column };
    this.#forget(behind - lead);
    this.#at = 0;
    this.#inside = PLAIN;
    [this.#parens, this.#blocks, this.#words, this.#holdsSomething] = [0, 0, '', false];
    return holdsSomething ? statement : undefined;
  }

  /** Drops so much of the text, and counts its lines. */
  #forget(length: number): void {
    const gone = this.#text.slice(0, length);
    this.#text = this.#text.slice(length);
    this.#at = Math.max(0, this.#at - length);
    const last = gone.lastIndexOf('\n');
    for (let at = gone.indexOf('\n'); at !== -1; at = gone.indexOf('\n', at + 1)) this.#line += 1;
    if (last !== -1) this.#column = 1;
    this.#column += charactersIn(gone.slice(last + 1));
  }
}

/** A character beyond 16 bits is two units, of which the second is one of these. */
function charactersIn(text: string): number {
  return text.length - (text.match(/[\udc00-\udfff]/g)?.length ?? 0);
}
