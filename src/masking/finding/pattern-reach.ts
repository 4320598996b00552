/** UTF-8's longest character. */
const CHAR_BYTES = 4;
/** Longer ones are held like those without a bound. */
const MAX_REACH_BYTES = 4_096;

/**
 * The most bytes that a match of a pattern in RE2's syntax can have, counted generously; Infinity where there is no
 * such bound, or it is above 4 KiB.
 *
 * @see https://github.com/google/re2/wiki/Syntax
 */
export function longestMatch(pattern: string): number {
  const bytes = new Walker(pattern).alternatives();
  return bytes > MAX_REACH_BYTES ? Infinity : bytes;
}

class Walker {
  #at = 0;

  constructor(private readonly pattern: string) {}

  /** Up to the end or a closing bracket: the longest of what `|` divides. */
  alternatives(): number {
    let longest = 0;
    let length = 0;
    while (this.#at < this.pattern.length && this.pattern[this.#at] !== ')') {
      if (this.pattern[this.#at] === '|') {
        this.#at += 1;
        longest = Math.max(longest, length);
        length = 0;
      } else {
        const one = this.#atom();
        const times = this.#times();
        length += one === 0 ? 0 : one * times;
      }
    }
    return Math.max(longest, length);
  }

  #atom(): number {
    const char = this.pattern[this.#at] as string;
    if (char === '(') return this.#group();
    if (char === '[') return this.#class();
    if (char === '\\') return this.#escape();
    this.#at += (this.pattern.codePointAt(this.#at) as number) > 0xffff ? 2 : 1;
    return char === '^' || char === '$' ? 0 : CHAR_BYTES;
  }

  #group(): number {
    const head = /\((?:\?(?:P?<[^>]*>|[a-zA-Z-]*[:)]))?/y;
    head.lastIndex = this.#at;
    const text = head.exec(this.pattern)?.[0] ?? '(';
    this.#at += text.length;
    // `(?i)` is over at once.
    if (text.endsWith(')')) return 0;
    const length = this.alternatives();
    this.#at += 1;
    return length;
  }

  #class(): number {
    this.#at += this.pattern[this.#at + 1] === '^' ? 2 : 1;
    // A bracket that stands first is one of the class.
    let first = true;
    while (this.#at < this.pattern.length && (first || this.pattern[this.#at] !== ']')) {
      const named = /\[:\^?[a-z]+:\]/y;
      named.lastIndex = this.#at;
      const name = named.exec(this.pattern)?.[0];
      if (name !== undefined) this.#at += name.length;
      else this.#at += this.pattern[this.#at] === '\\' ? 2 : 1;
      first = false;
    }
    this.#at += 1;
    return CHAR_BYTES;
  }

  #escape(): number {
    const letter = this.pattern[this.#at + 1] ?? '';
    if (letter === 'Q') return this.#quoted();
    const braced = /\\(?:[pPx]\{[^}]*\}|x[0-9a-fA-F]{2}|[0-7]{1,3})/y;
    braced.lastIndex = this.#at;
    this.#at += braced.exec(this.pattern)?.[0].length ?? 2;
    return 'bBAzZ'.includes(letter) ? 0 : CHAR_BYTES;
  }

  #quoted(): number {
    const end = this.pattern.indexOf('\\E', this.#at);
    const length = (end < 0 ? this.pattern.length : end) - this.#at - 2;
    this.#at = end < 0 ? this.pattern.length : end + 2;
    return length * CHAR_BYTES;
  }

  /** How often at most, after the repetition that may stand here. */
  #times(): number {
    let times = 1;
    for (;;) {
      const repetition = /(?:[*+?]|\{(\d+)(,(\d*))?\})\??/y;
      repetition.lastIndex = this.#at;
      const found = repetition.exec(this.pattern);
      if (found === null) return times;
      this.#at += found[0].length;
      const [text, least, range, most] = found;
      if (text.startsWith('?')) continue;
      if (least === undefined || (range !== undefined && most === '')) times = Infinity;
      else times *= Number(most ?? least);
    }
  }
}
