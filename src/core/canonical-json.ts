/**
 * JSON in the one form that everyone writes alike (RFC 8785): no white space, object members sorted
 * by UTF-16 code units, numbers and strings as ECMAScript prints them.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8785#section-3.2
 */

/** Deeper values are refused: the writer needs none, and a hostile line must not exhaust the stack. */
export const MAX_DEPTH = 64;

/** ES2024's string methods, which Node 20 has and the compiler's library does not name yet. */
interface WellFormed {
  isWellFormed(): boolean;
  toWellFormed(): string;
}

/** What stands in JSON as it is. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** A string as JSON. A lone surrogate has no UTF-8 form (RFC 8785 §3.2.2.2): U+FFFD stands for it. */
export function canonicalString(text: string): string {
  if (text.length < 128 && PLAIN.test(text)) return `"${text}"`;
  const string = text as unknown as WellFormed;
  return JSON.stringify(string.isWellFormed() ? text : string.toWellFormed());
}

/**
 * The canonical text of a value. Members that are `undefined` are left out, as `JSON.stringify` does.
 *
 * @throws TypeError for what JSON can't say (NaN, infinities, bigint, functions, `undefined` itself)
 *   and for values nested deeper than `MAX_DEPTH`
 */
export function canonicalJson(value: unknown, depth = 0): string {
  switch (typeof value) {
    case 'string':
      return canonicalString(value);
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError('number without a JSON form');
      // ECMAScript prints -0 as 0, which is what RFC 8785 asks for.
      return String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      if (depth >= MAX_DEPTH) throw new TypeError(`value nested deeper than ${MAX_DEPTH}`);
      return Array.isArray(value) ? canonicalArray(value, depth) : canonicalObject(value, depth);
    default:
      throw new TypeError(`${typeof value} without a JSON form`);
  }
}

function canonicalArray(items: readonly unknown[], depth: number): string {
  let text = '[';
  for (let index = 0; index < items.length; index += 1) {
    if (index > 0) text += ',';
    text += canonicalJson(items[index], depth + 1);
  }
  return `${text}]`;
}

function canonicalObject(object: object, depth: number): string {
  const members = object as Readonly<Record<string, unknown>>;
  let text = '{';
  for (const name of sortedNames(object)) {
    const value = members[name];
    if (value === undefined) continue;
    if (text.length > 1) text += ',';
    text += canonicalName(name);
    text += canonicalJson(value, depth + 1);
  }
  return `${text}}`;
}

/** The member names of an object by UTF-16 code units, which is how `<` and `sort` compare. */
export function sortedNames(object: object): string[] {
  const names = Object.keys(object);
  // Objects made by hand are mostly in order already; looking costs a tenth of sorting.
  for (let index = 1; index < names.length; index += 1) {
    if ((names[index - 1] as string) > (names[index] as string)) return names.sort();
  }
  return names;
}

/** Names met lately: a recording has a few dozen. */
const knownNames = new Map<string, string>();
const MAX_KNOWN_NAMES = 512;

/** `"name":` */
export function canonicalName(name: string): string {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  const text = `${canonicalString(name)}:`;
  if (knownNames.size < MAX_KNOWN_NAMES) knownNames.set(name, text);
  return text;
}
