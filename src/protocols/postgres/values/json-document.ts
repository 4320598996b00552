/**
 * Masks a JSON document place by place, where it is known what stands where. A document of any other shape than the one
 * expected becomes NULL: its values may then be others than those they are taken for.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8259
 */
import { concatBytes } from '../../../core/bytes.js';
import type { JsonMask, MaskRule } from '../../../core/mask.js';
import type { Cell } from './value-masker.js';

/** How one value in a document is masked. */
export interface DocumentMasker {
  /** A value that no column's mask meets, as it is written: undefined where it stays. */
  free(token: Uint8Array): Cell;
  /** @param text of a string; undefined where it is none, and NULL is all that can stand for it */
  ruled(rule: MaskRule, text: Uint8Array | undefined, label: string): Uint8Array | null;
  /** A number, date or the like of a column's own type; undefined where nothing of that type can stand for it. */
  typed(rule: MaskRule, typeOid: number, text: Uint8Array): Cell;
}

const QUOTE = 0x22;
const NULL = new TextEncoder().encode('null');
const WORDS = ['true', 'false', 'null'];
const NUMBER_BYTES: ReadonlySet<number> = new Set(Array.from('+-.0123456789Ee', (letter) => letter.charCodeAt(0)));

/**
 * @param label of what is no member of an object
 * @returns null where it is not the document that was expected
 */
export function maskDocument(
  bytes: Uint8Array,
  mask: JsonMask,
  masker: DocumentMasker,
  label = 'masked',
): Uint8Array | null {
  return new DocumentWalk(bytes, masker).run(mask, mask.kind === 'leaf' ? label : 'masked');
}

class DocumentWalk {
  readonly #parts: Uint8Array[] = [];
  #at = 0;
  #kept = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly masker: DocumentMasker,
  ) {}

  run(mask: JsonMask, label: string): Uint8Array | null {
    const known = this.#value(mask, label);
    if (!known || this.#next() !== undefined) return null;
    this.#parts.push(this.bytes.subarray(this.#kept));
    return concatBytes(this.#parts);
  }

  /** The byte that is next, behind white space. */
  #next(): number | undefined {
    while (SPACES.has(this.bytes[this.#at] ?? 0)) this.#at += 1;
    return this.bytes[this.#at];
  }

  /** Goes on behind this byte, if it is next. */
  #take(letter: string): boolean {
    const found = this.#next() === letter.charCodeAt(0);
    if (found) this.#at += 1;
    return found;
  }

  #value(mask: JsonMask, label: string): boolean {
    if (mask.kind === 'leaf') return this.#leaf(mask, label);
    // A row that was not there.
    if (this.#word() === 'null') return true;
    if (this.#empty()) return true;
    if (mask.kind === 'object') return this.#take('{') && this.#members(mask);
    return this.#take('[') && this.#items(mask);
  }

  /** Goes on behind `{}` or `[]`: an empty document holds nothing, of whatever form it is. */
  #empty(): boolean {
    const from = this.#at;
    if ((this.#take('{') && this.#take('}')) || (this.#take('[') && this.#take(']'))) return true;
    this.#at = from;
    return false;
  }

  #members({ members, rest }: Extract<JsonMask, { kind: 'object' }>): boolean {
    do {
      const key = this.#next() === QUOTE ? this.#key(members) : undefined;
      const member = key === undefined ? undefined : (members.get(key) ?? rest);
      // A name that comes from data may be what is to be masked elsewhere: it is no label.
      const label = key !== undefined && members.has(key) ? key : 'masked';
      if (member === undefined || !this.#take(':') || !this.#value(member, label)) return false;
    } while (this.#take(','));
    return this.#take('}');
  }

  /** A member's name; one that comes from data is masked like any value. */
  #key(known: ReadonlyMap<string, JsonMask>): string | undefined {
    const from = this.#at;
    const token = this.#string();
    const name = token === undefined ? undefined : decoded(token);
    if (token === undefined || name === undefined || known.has(name)) return name;
    const masked = this.masker.free(token);
    if (masked === null) return undefined;
    if (masked !== undefined) this.#replace(from, masked);
    return name;
  }

  #items(mask: Extract<JsonMask, { kind: 'array' | 'list' }>): boolean {
    let index = 0;
    do {
      const item = mask.kind === 'list' ? mask.item : mask.items[index];
      if (item === undefined || !this.#value(item, 'masked')) return false;
      index += 1;
    } while (this.#take(','));
    return this.#take(']') && (mask.kind === 'list' || index === mask.items.length);
  }

  #leaf({ rule, typeOid }: Extract<JsonMask, { kind: 'leaf' }>, label: string): boolean {
    this.#next();
    const from = this.#at;
    const token = this.#token();
    if (token === undefined) return false;
    const masked = rule === undefined ? this.masker.free(token) : this.#ruled(rule, token, label, typeOid);
    if (masked === undefined) return true;
    this.#replace(from, masked ?? NULL);
    return true;
  }

  /** What stands from there up to here. */
  #replace(from: number, by: Uint8Array): void {
    this.#parts.push(this.bytes.subarray(this.#kept, from), by);
    this.#kept = this.#at;
  }

  #ruled(rule: MaskRule, token: Uint8Array, label: string, typeOid: number | undefined): Cell {
    // Whether it is NULL, or a number, may tell as much as the value.
    if (rule.hidesNulls === true) return quoted(this.masker.ruled(rule, new Uint8Array(), label));
    if (token[0] === NULL[0]) return undefined;
    const said = token[0] === QUOTE ? decoded(token) : undefined;
    const text = said === undefined ? undefined : new TextEncoder().encode(said);
    const isNumber = NUMBER_BYTES.has(token[0] ?? 0);
    const typed =
      typeOid === undefined || (text === undefined && !isNumber)
        ? undefined
        : this.masker.typed(rule, typeOid, text ?? token);
    if (typed !== undefined) return isNumber ? numberOf(typed) : quoted(typed);
    return quoted(this.masker.ruled(rule, text, label));
  }

  /** A whole value, whatever it is; undefined where there is none. */
  #token(): Uint8Array | undefined {
    const from = this.#at;
    const first = this.bytes[from];
    if (first === QUOTE) return this.#string();
    if (first === 0x7b || first === 0x5b) return this.#container() ? this.bytes.subarray(from, this.#at) : undefined;
    if (this.#word() === undefined) while (NUMBER_BYTES.has(this.bytes[this.#at] ?? 0)) this.#at += 1;
    return this.#at === from ? undefined : this.bytes.subarray(from, this.#at);
  }

  #container(): boolean {
    let depth = 0;
    do {
      const byte = this.bytes[this.#at];
      if (byte === undefined) return false;
      if (byte === QUOTE) {
        if (this.#string() === undefined) return false;
        continue;
      }
      if (byte === 0x7b || byte === 0x5b) depth += 1;
      if (byte === 0x7d || byte === 0x5d) depth -= 1;
      this.#at += 1;
    } while (depth > 0);
    return true;
  }

  /** With its quotes. */
  #string(): Uint8Array | undefined {
    const from = this.#at;
    for (let at = from + 1; at < this.bytes.length; at += 1) {
      if (this.bytes[at] === 0x5c) at += 1;
      else if (this.bytes[at] === QUOTE) {
        this.#at = at + 1;
        return this.bytes.subarray(from, this.#at);
      }
    }
    return undefined;
  }

  #word(): string | undefined {
    this.#next();
    const found = WORDS.find((word) =>
      Array.from(word).every((letter, index) => this.bytes[this.#at + index] === letter.charCodeAt(0)),
    );
    this.#at += found?.length ?? 0;
    return found;
  }
}

const SPACES: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** The text of a JSON string; undefined where it is none, or no UTF-8. */
function decoded(token: Uint8Array): string | undefined {
  try {
    const text: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(token));
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
}

function numberOf(text: Uint8Array | null): Uint8Array | null {
  return text !== null && /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(new TextDecoder().decode(text)) ? text : null;
}

function quoted(text: Uint8Array | null): Uint8Array | null {
  return text === null ? null : new TextEncoder().encode(JSON.stringify(new TextDecoder().decode(text)));
}
