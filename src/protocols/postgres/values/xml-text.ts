/**
 * Masks XML behind its escapes: runs of character data, with references and CDATA sections read as the text
 * they are, values of attributes, comments and instructions.
 *
 * @see https://www.w3.org/TR/xml/#syntax
 */
import { concatBytes } from '../../../core/bytes.js';
import { latin, MASKED } from './text-structure.js';
import type { Cell } from './value-masker.js';

const LESS = 0x3c;
const GREATER = 0x3e;
const AMPERSAND = 0x26;
const SEMICOLON = 0x3b;
const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
const CDATA = latin('<![CDATA[');
const CDATA_END = latin(']]>');
const COMMENT = latin('<!--');
const COMMENT_END = latin('-->');
const INSTRUCTION = latin('<?');
const INSTRUCTION_END = latin('?>');
const DECLARATION = latin('<!');
/** The longest reference that is one: `&#x10FFFF;`, with some zeros. */
const MAX_REFERENCE = 16;

/** Masks one text without its escapes. */
export type MaskText = (text: Uint8Array) => Cell;

/**
 * @returns undefined where nothing was found; null where it can't be masked in place; `malformed` where it is
 *   no XML that this reader knows, a document type of its own among that: then nothing was decided
 */
export function maskXmlText(bytes: Uint8Array, mask: MaskText): Cell | 'malformed' {
  return new XmlWalk(bytes, mask).run();
}

class XmlWalk {
  readonly #parts: Uint8Array[] = [];
  #kept = 0;
  #at = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly mask: MaskText,
  ) {}

  run(): Cell | 'malformed' {
    while (this.#at < this.bytes.length) {
      const done = this.#isRun() ? this.#run() : this.#markup();
      if (done !== true) return done;
    }
    if (this.#parts.length === 0) return undefined;
    this.#parts.push(this.bytes.subarray(this.#kept));
    return concatBytes(this.#parts);
  }

  #isRun(): boolean {
    return this.bytes[this.#at] !== LESS || this.#standsHere(CDATA);
  }

  /** Character data and CDATA sections that touch are one text. */
  #run(): true | null | 'malformed' {
    const from = this.#at;
    const texts: Uint8Array[] = [];
    while (this.#at < this.bytes.length && this.#isRun()) {
      if (this.#standsHere(CDATA)) {
        const inside = this.#upTo(CDATA.length, CDATA_END);
        if (inside === undefined) return 'malformed';
        texts.push(inside);
        continue;
      }
      const less = this.bytes.indexOf(LESS, this.#at);
      const end = less === -1 ? this.bytes.length : less;
      const text = dereferenced(this.bytes.subarray(this.#at, end));
      if (text === undefined) return 'malformed';
      texts.push(text);
      this.#at = end;
    }
    return this.#replace(from, concatBytes(texts), escaped);
  }

  #markup(): true | null | 'malformed' {
    const from = this.#at;
    if (this.#standsHere(COMMENT)) return this.#replaceInside(from, COMMENT, COMMENT_END);
    if (this.#standsHere(INSTRUCTION)) return this.#replaceInside(from, INSTRUCTION, INSTRUCTION_END);
    // A document type may define references of its own, which stand for any text.
    if (this.#standsHere(DECLARATION)) return 'malformed';
    return this.#tag();
  }

  #tag(): true | null | 'malformed' {
    for (this.#at += 1; this.#at < this.bytes.length; this.#at += 1) {
      const byte = this.bytes[this.#at] as number;
      if (byte === GREATER) {
        this.#at += 1;
        return true;
      }
      if (byte === LESS) return 'malformed';
      if (byte !== 0x22 && byte !== 0x27) continue;
      const end = this.bytes.indexOf(byte, this.#at + 1);
      const value = end === -1 ? undefined : dereferenced(this.bytes.subarray(this.#at + 1, end));
      if (value === undefined) return 'malformed';
      const from = this.#at + 1;
      this.#at = end;
      const done = this.#replace(from, value, escaped);
      if (done !== true) return done;
    }
    return 'malformed';
  }

  /** What may not hold its own end: such a comment or instruction goes out without its text. */
  #replaceInside(from: number, opening: Uint8Array, ending: Uint8Array): true | null | 'malformed' {
    const inside = this.#upTo(opening.length, ending);
    if (inside === undefined) return 'malformed';
    const masked = this.mask(inside);
    if (masked === undefined) return true;
    if (opening === INSTRUCTION) return null;
    this.#parts.push(this.bytes.subarray(this.#kept, from), COMMENT, MASKED, COMMENT_END);
    this.#kept = this.#at;
    return true;
  }

  /** Goes behind `ending`; what stands before it. */
  #upTo(skip: number, ending: Uint8Array): Uint8Array | undefined {
    const from = this.#at + skip;
    for (let at = from; at + ending.length <= this.bytes.length; at += 1) {
      at = this.bytes.indexOf(ending[0] as number, at);
      if (at === -1) return undefined;
      if (!ending.every((byte, index) => this.bytes[at + index] === byte)) continue;
      this.#at = at + ending.length;
      return this.bytes.subarray(from, at);
    }
    return undefined;
  }

  #replace(from: number, text: Uint8Array, write: (text: Uint8Array) => Uint8Array): true | null {
    const masked = this.mask(text);
    if (masked === null) return null;
    if (masked === undefined) return true;
    this.#parts.push(this.bytes.subarray(this.#kept, from), write(masked));
    this.#kept = this.#at;
    return true;
  }

  #standsHere(what: Uint8Array): boolean {
    return what.every((byte, index) => this.bytes[this.#at + index] === byte);
  }
}

/** The text with its references resolved; undefined where one is none that every document knows. */
export function dereferenced(text: Uint8Array): Uint8Array | undefined {
  if (text.indexOf(AMPERSAND) === -1) return text;
  const out = new Uint8Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at += 1) {
    const byte = text[at] as number;
    if (byte !== AMPERSAND) {
      out[length++] = byte;
      continue;
    }
    const near = text.subarray(at + 1, at + MAX_REFERENCE);
    const end = near.indexOf(SEMICOLON);
    const char = end === -1 ? undefined : referred(String.fromCharCode(...near.subarray(0, end)));
    if (char === undefined) return undefined;
    length += new TextEncoder().encodeInto(char, out.subarray(length)).written;
    at += end + 1;
  }
  return out.subarray(0, length);
}

function referred(name: string): string | undefined {
  const known = NAMED[name];
  if (known !== undefined) return known;
  const digits = /^#(?:x([0-9a-fA-F]+)|([0-9]+))$/.exec(name);
  if (digits === null) return undefined;
  const point = digits[1] === undefined ? Number(digits[2]) : parseInt(digits[1], 16);
  return point <= 0x10ffff ? String.fromCodePoint(point) : undefined;
}

function escaped(text: Uint8Array): Uint8Array {
  const parts: number[] = [];
  for (const byte of text) {
    if (byte === LESS) parts.push(...latin('&lt;'));
    else if (byte === GREATER) parts.push(...latin('&gt;'));
    else if (byte === AMPERSAND) parts.push(...latin('&amp;'));
    else if (byte === 0x22) parts.push(...latin('&quot;'));
    else if (byte === 0x27) parts.push(...latin('&apos;'));
    else parts.push(byte);
  }
  return Uint8Array.from(parts);
}
