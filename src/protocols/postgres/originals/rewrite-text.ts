import { concatBytes, decodeUtf8 } from '../../../core/bytes.js';
import { parseSql } from '../facts/grammar.js';
import { OUTLINED_CHARS } from '../facts/outline.js';
import { isNode } from '../facts/tree.js';
import { constantEnd } from './constant-end.js';
import { plainConstant } from './plain-constant.js';

/** One constant of a text and what is to stand in its place. */
export interface Replacement {
  /** Where it begins, in bytes of UTF-8. */
  readonly location: number;
  readonly value: string;
  readonly by: string;
}

/** Where a text differs from what the client sent, in characters from 0. */
export interface Edit {
  readonly from: number;
  /** Characters of the client's text, and of what stands there now. */
  readonly was: number;
  readonly is: number;
}

export interface RewrittenText {
  readonly bytes: Uint8Array;
  readonly edits: readonly Edit[];
}

const encoder = new TextEncoder();

/**
 * The text with some constants replaced. The result is parsed again: it is given back only where the two trees differ
 * in nothing but those constants. A large text is not, since that would hold up everybody: only plain constants are
 * replaced in it.
 *
 * @param text as the client sent it, in UTF-8
 * @returns undefined where that is not certain
 */
export function rewriteText(text: Uint8Array, replacements: readonly Replacement[]): RewrittenText | undefined {
  const isLarge = text.length > OUTLINED_CHARS && decodeUtf8(text).length > OUTLINED_CHARS;
  const inOrder = replacements
    .filter(({ location, value }) => !isLarge || plainConstant(text, location)?.value === value)
    .sort((left, right) => left.location - right.location);
  if (inOrder.length === 0) return undefined;
  const parts: Uint8Array[] = [];
  const edits: Edit[] = [];
  let kept = 0;
  let characters = 0;
  for (const { location, by } of inOrder) {
    const end = location < kept ? undefined : constantEnd(text, location);
    if (end === undefined) return undefined;
    const written = text[location] === MINUS || isDigit(text[location]) ? by : quotedConstant(by);
    const before = text.subarray(kept, location);
    parts.push(before, encoder.encode(written));
    characters += countCharacters(decodeUtf8(before));
    const was = countCharacters(decodeUtf8(text.subarray(location, end)));
    edits.push({ from: characters, was, is: countCharacters(written) });
    characters += was;
    kept = end;
  }
  parts.push(text.subarray(kept));
  const bytes = concatBytes(parts);
  return isLarge || onlyDiffers(text, bytes, inOrder) ? { bytes, edits } : undefined;
}

const MINUS = 0x2d;
const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;

/** With a backslash in it as `E'…'`, which reads the same whatever `standard_conforming_strings` says. */
function quotedConstant(value: string): string {
  const doubled = value.replaceAll("'", "''");
  return value.includes('\\') ? ` E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`;
}

/** The server counts code points. */
function countCharacters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** A place in the server's text, in characters from 1, as one in the client's. */
export function clientPosition(position: number, edits: readonly Edit[]): number {
  let shift = 0;
  for (const { from, was, is } of edits) {
    const at = position - 1 - shift;
    if (at <= from) break;
    if (at < from + is) return from + 1;
    shift += is - was;
  }
  return position - shift;
}

function onlyDiffers(before: Uint8Array, after: Uint8Array, replacements: readonly Replacement[]): boolean {
  const [one, other] = [parseSql(decodeUtf8(before)), parseSql(decodeUtf8(after))];
  if (one.kind !== 'tree' || other.kind !== 'tree') return false;
  const wanted = new Map(replacements.map((replacement) => [replacement.location, replacement]));
  return sameTree(one.tree, other.tree, wanted) && wanted.size === 0;
}

/** Are these the same but for places, and for the wanted constants? Those are taken out of `wanted` as they are met. */
function sameTree(one: unknown, other: unknown, wanted: Map<number, Replacement>): boolean {
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((item, index) => sameTree(item, other[index], wanted));
  if (!isNode(one) || !isNode(other)) return one === other;
  const replacement = typeof one['location'] === 'number' ? wanted.get(one['location']) : undefined;
  if (replacement !== undefined && constantOf(one) === replacement.value) {
    wanted.delete(replacement.location);
    return constantOf(other) === replacement.by;
  }
  const [keys, otherKeys] = [meaning(one), meaning(other)];
  return (
    keys.length === otherKeys.length &&
    keys.every((key) => Object.hasOwn(other, key) && sameTree(one[key], other[key], wanted))
  );
}

/** Fields that say something but where it stands. */
function meaning(node: object): readonly string[] {
  return Object.keys(node).filter((key) => !/location$|^stmt_len$|_start$|_end$/.test(key));
}

/** What the inside of an `A_Const` says; a number is as good as another kind of number. */
function constantOf(node: Readonly<Record<string, unknown>>): string | undefined {
  const { sval, ival, fval } = node;
  if (isNode(sval)) return typeof sval['sval'] === 'string' ? sval['sval'] : '';
  if (isNode(fval)) return typeof fval['fval'] === 'string' ? fval['fval'] : undefined;
  return isNode(ival) ? String(typeof ival['ival'] === 'number' ? ival['ival'] : 0) : undefined;
}
