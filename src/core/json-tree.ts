import type { Fault } from './errors.js';

/** One value of a JSON text with its place in the text, so that it can be changed where it stands. */
export type JsonNode = JsonObject | JsonArray | JsonString | JsonNumber | JsonLiteral;

interface Placed {
  /** Offset of its first character. */
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

export interface JsonObject extends Placed {
  readonly kind: 'object';
  readonly members: readonly JsonMember[];
  /** A name stands in it more than once: readers differ in which value they take. */
  readonly duplicates: boolean;
}

export interface JsonMember {
  readonly name: string;
  /** Where the name stands, with its quotes. */
  readonly nameAt: { readonly from: number; readonly to: number };
  readonly value: JsonNode;
}

export interface JsonArray extends Placed {
  readonly kind: 'array';
  readonly items: readonly JsonNode[];
}

export interface JsonString extends Placed {
  readonly kind: 'string';
  readonly value: string;
}

export interface JsonNumber extends Placed {
  readonly kind: 'number';
  readonly value: number;
}

export interface JsonLiteral extends Placed {
  readonly kind: 'literal';
  readonly value: true | false | null;
}

/** Deeper than any real request; bounds the stack of those who walk the tree. */
const MAX_DEPTH = 512;

/** Each costs about a hundred bytes, however short it is; no real body of a size that is read whole has as many. */
const MAX_VALUES = 2_000_000;

const SPACE = /[ \t\n\r]*/y;
const CONTROL = /[^ -\uffff]/;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const LITERAL = /true|false|null/y;

/**
 * Reads one JSON text, strictly.
 *
 * @param text offsets in the tree count its UTF-16 units
 * @returns a fault `protocol` for anything that is not exactly one JSON text, or nested deeper than 512 levels, or of more than
 *   2,000,000 values
 * @see https://www.rfc-editor.org/rfc/rfc8259
 */
export function parseJsonTree(text: string): JsonNode | Fault {
  try {
    return new TreeReader(text).read();
  } catch (error) {
    if (error instanceof NotJson) return { code: 'protocol', message: error.message };
    throw error;
  }
}

/** The value of a member; undefined where the node is no object or has no such member. Of duplicates the last, as most readers take it. */
export function member(node: JsonNode | undefined, name: string): JsonNode | undefined {
  return node?.kind === 'object' ? node.members.findLast((one) => one.name === name)?.value : undefined;
}

/** The value as `JSON.parse` would give it. */
export function jsonValue(node: JsonNode): unknown {
  switch (node.kind) {
    case 'object': {
      const value: Record<string, unknown> = {};
      // Defined, not assigned: a member called __proto__ is one like any other.
      for (const { name, value: inner } of node.members)
        Object.defineProperty(value, name, {
          value: jsonValue(inner),
          enumerable: true,
          configurable: true,
          writable: true,
        });
      return value;
    }
    case 'array':
      return node.items.map(jsonValue);
    default:
      return node.value;
  }
}

/** Is a name given twice in any object of the tree? */
export function hasDuplicates(node: JsonNode): boolean {
  if (node.kind === 'array') return node.items.some(hasDuplicates);
  if (node.kind !== 'object') return false;
  return node.duplicates || node.members.some(({ value }) => hasDuplicates(value));
}

/** Objects with fewer members are gone through by pairs: a set for each costs more than all else of a small object. */
const MANY_MEMBERS = 9;

function isNameTwice(members: readonly JsonMember[]): boolean {
  if (members.length >= MANY_MEMBERS) return new Set(members.map(({ name }) => name)).size < members.length;
  return members.some(({ name }, at) => members.findIndex((other) => other.name === name) < at);
}

class NotJson extends Error {}

class TreeReader {
  #at = 0;
  #depth = 0;
  #values = 0;

  constructor(private readonly text: string) {}

  read(): JsonNode {
    const node = this.#value();
    this.#space();
    if (this.#at !== this.text.length) throw this.#unexpected();
    return node;
  }

  #value(): JsonNode {
    this.#values += 1;
    if (this.#values > MAX_VALUES) throw new NotJson(`JSON has more than ${String(MAX_VALUES)} values`);
    this.#space();
    const from = this.#at;
    switch (this.text[from]) {
      case '{':
        return this.#nested(() => this.#object(from));
      case '[':
        return this.#nested(() => this.#array(from));
      case '"':
        return { kind: 'string', from, value: this.#string(), to: this.#at };
      case 't':
      case 'f':
      case 'n': {
        const word = this.#match(LITERAL);
        return { kind: 'literal', from, to: this.#at, value: word === 'null' ? null : word === 'true' };
      }
      default:
        return { kind: 'number', from, value: Number(this.#match(NUMBER)), to: this.#at };
    }
  }

  #nested<Node>(read: () => Node): Node {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new NotJson(`JSON is nested deeper than ${String(MAX_DEPTH)} levels`);
    const node = read();
    this.#depth -= 1;
    return node;
  }

  #object(from: number): JsonObject {
    const members: JsonMember[] = [];
    this.#at += 1;
    if (!this.#took('}')) {
      do {
        this.#space();
        const nameFrom = this.#at;
        const name = this.#string();
        const nameAt = { from: nameFrom, to: this.#at };
        if (!this.#took(':')) throw this.#unexpected();
        members.push({ name, nameAt, value: this.#value() });
      } while (this.#took(','));
      if (!this.#took('}')) throw this.#unexpected();
    }
    return { kind: 'object', from, to: this.#at, members, duplicates: isNameTwice(members) };
  }

  #array(from: number): JsonArray {
    const items: JsonNode[] = [];
    this.#at += 1;
    if (!this.#took(']')) {
      do items.push(this.#value());
      while (this.#took(','));
      if (!this.#took(']')) throw this.#unexpected();
    }
    return { kind: 'array', from, to: this.#at, items };
  }

  /** Not by one pattern: a long string would overflow the stack of the engine for patterns. */
  #string(): string {
    const { text } = this;
    if (text[this.#at] !== '"') throw this.#unexpected();
    const from = this.#at;
    let close = from;
    do {
      close = text.indexOf('"', close + 1);
      if (close < 0) throw this.#unexpected();
    } while (this.#escapes(from, close));
    this.#at = close + 1;
    const plain = text.slice(from + 1, close);
    if (CONTROL.test(plain)) throw this.#unexpected();
    return plain.includes('\\') ? this.#unescaped(text.slice(from, close + 1)) : plain;
  }

  /** Does an odd number of backslashes stand before the quote at `quote`? */
  #escapes(from: number, quote: number): boolean {
    let before = quote - 1;
    while (before > from && this.text[before] === '\\') before -= 1;
    return (quote - 1 - before) % 2 === 1;
  }

  #unescaped(token: string): string {
    try {
      return JSON.parse(token) as string;
    } catch {
      throw this.#unexpected();
    }
  }

  #took(sign: string): boolean {
    this.#space();
    if (this.text[this.#at] !== sign) return false;
    this.#at += 1;
    return true;
  }

  #space(): void {
    // Most signs follow each other: asking the pattern costs more than looking.
    if (this.text.charCodeAt(this.#at) > 0x20) return;
    SPACE.lastIndex = this.#at;
    SPACE.test(this.text);
    this.#at = SPACE.lastIndex;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) throw this.#unexpected();
    this.#at += found.length;
    return found;
  }

  #unexpected(): NotJson {
    return new NotJson(`no JSON: unexpected text at character ${String(this.#at + 1)}`);
  }
}
