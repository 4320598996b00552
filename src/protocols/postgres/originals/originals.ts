/** Puts the values behind reversible pseudonyms in their place on the way to the server. */
import { decodeUtf8 } from '../../../core/bytes.js';
import { bindBody, formatAt, type BindBody } from '../wire/client-messages.js';
import type { PreparedText, ReversibleValue, SessionMasks } from '../masks.js';
import { readArrayText } from '../values/array-text.js';
import {
  boundTexts,
  originalArray,
  originalArrayText,
  originalBinary,
  originalText,
} from '../values/original-value.js';
import { shapeOf } from '../values/type-shapes.js';
import { withParameters, withText } from './messages.js';
import { plainConstant } from './plain-constant.js';
import { canBeShown, type Swap } from './plan-text.js';
import { rewriteText, type Edit, type Replacement } from './rewrite-text.js';

/** A message as it goes up, and where its text differs from the client's. */
export interface Rewritten {
  readonly message: Uint8Array;
  readonly edits: readonly Edit[];
  /** What stands in it for what, where it shows a plan. */
  readonly swaps?: readonly Swap[];
}

/** A Bind message as it goes up. */
export interface RewrittenBind {
  readonly message: Uint8Array;
  readonly swaps: readonly Swap[];
}

const encoder = new TextEncoder();
/** Types that take a value whole, by the types that clients name for them: `"char"` and `name` cut it. */
const SCALARS: ReadonlySet<number> = new Set([0, 20, 21, 23, 25, 1042, 1043, 1082, 1700, 2950]);
/** Text and array types of the same elements, by the types that clients name for them. */
const ARRAYS: ReadonlySet<number> = new Set([0, 1005, 1007, 1016, 1009, 1015, 1231, 2951, 1182]);

/**
 * A Query or Parse message whose text has the originals in the place of the pseudonyms that are compared with
 * reversibly masked columns.
 *
 * @param raw the text in the message
 * @param text the same, decoded
 * @param prepared what an EXECUTE in it runs at once
 * @param explains it shows its plan
 * @returns undefined where it goes up as it is
 */
export function withOriginals(
  message: Uint8Array,
  raw: Uint8Array,
  text: string,
  masks: SessionMasks,
  encoding: string,
  prepared?: PreparedText,
  explains = false,
): Rewritten | undefined {
  const values = masks.columns?.reversible(text, prepared) ?? [];
  if (!values.some(({ place }) => place.kind === 'literal') || !equalBytes(encoder.encode(text), raw)) return undefined;
  const replacements = replacementsOf(raw, values, masks, encoding).filter(({ by }) => !explains || canBeShown(by));
  if (replacements.length === 0) return undefined;
  const rewritten = rewriteText(raw, replacements);
  if (rewritten === undefined) return undefined;
  const swaps = replacements.map(({ value, by }) => swapsOf(value, by));
  return {
    message: withText(message, raw, rewritten.bytes),
    edits: rewritten.edits,
    ...(explains ? { swaps: swaps.flat() } : {}),
  };
}

/** What a plan may show of one constant: an array's elements by themselves. */
function swapsOf(pseudonym: string, original: string): readonly Swap[] {
  const [from, to] = [original, pseudonym].map((text) =>
    readArrayText(encoder.encode(text))?.leaves.map(({ value }) => decodeUtf8(value)),
  );
  if (from === undefined || to?.length !== from.length) return [{ original, pseudonym }];
  return from.flatMap((item, index) => (item === to[index] ? [] : [{ original: item, pseudonym: to[index] ?? '' }]));
}

/** One for each constant; none where it would have to be two things at once. */
function replacementsOf(
  raw: Uint8Array,
  values: readonly ReversibleValue[],
  masks: SessionMasks,
  encoding: string,
): readonly Replacement[] {
  const byPlace = new Map<number, Replacement | undefined>();
  for (const value of values) {
    if (value.place.kind !== 'literal') continue;
    const { location } = value.place;
    const written = value.place.value ?? plainConstant(raw, location)?.value;
    const by = written === undefined ? undefined : originalOf(value, written, masks);
    const found =
      written === undefined || by === undefined || !canWrite(by, encoding)
        ? undefined
        : { location, value: written, by };
    const known = byPlace.get(location);
    byPlace.set(location, byPlace.has(location) && known?.by !== found?.by ? undefined : found);
  }
  return [...byPlace.values()].filter((one) => one !== undefined);
}

function originalOf(
  { rule, typeOid, isArray }: ReversibleValue,
  text: string,
  masks: SessionMasks,
): string | undefined {
  const shape = shapeOf(typeOid, masks.types?.());
  return (isArray ? originalArrayText : originalText)(rule, shape, text, masks.hash);
}

/** Text of the catalogue's side is UTF-8; other encodings share ASCII with it. */
function canWrite(text: string, encoding: string): boolean {
  // eslint-disable-next-line no-control-regex -- ASCII is what is meant
  return !text.includes('\0') && (encoding === 'UTF8' || /^[\x01-\x7f]*$/.test(text));
}

/**
 * A Bind message with originals for the parameters that are used in nothing but comparisons with reversibly masked
 * columns.
 *
 * @param types of the parameters, as the Parse named them
 * @returns undefined where it goes up as it is
 */
export function bindWithOriginals(
  message: Uint8Array,
  text: string,
  types: readonly number[],
  masks: SessionMasks,
  encoding: string,
  explains = false,
): RewrittenBind | undefined {
  const values = masks.columns?.reversible(text) ?? [];
  const body = values.some(({ place }) => place.kind === 'parameter') ? bindBody(message) : undefined;
  if (body === undefined) return undefined;
  /** By index; undefined where it would have to be two things at once. */
  const replaced = new Map<number, Uint8Array | undefined>();
  const swaps: Swap[] = [];
  for (const value of values) {
    if (value.place.kind !== 'parameter') continue;
    const index = value.place.number - 1;
    const found = boundOriginal(value, body, index, types[index] ?? 0, masks, encoding);
    const shown = explains && found !== undefined ? boundSwaps(value, body, index, types[index] ?? 0, found) : [];
    const by = shown === undefined ? undefined : found;
    swaps.push(...(shown ?? []));
    const known = replaced.get(index);
    const agrees = !replaced.has(index) || (known !== undefined && by !== undefined && equalBytes(known, by));
    replaced.set(index, agrees ? by : undefined);
  }
  const certain = new Map([...replaced].flatMap(([index, by]) => (by === undefined ? [] : [[index, by] as const])));
  return certain.size === 0 ? undefined : { message: withParameters(message, body.values, certain), swaps };
}

/** What a plan may show of it; undefined where that is not known. */
function boundSwaps(
  { isArray, typeOid }: ReversibleValue,
  { formats, values }: BindBody,
  index: number,
  type: number,
  original: Uint8Array,
): readonly Swap[] | undefined {
  const pseudonym = values[index];
  if (pseudonym === undefined || pseudonym === null) return undefined;
  if (formatAt(formats, index) === 0) {
    const text = decodeUtf8(original);
    return canBeShown(text) ? swapsOf(decodeUtf8(pseudonym), text) : undefined;
  }
  const [from, to] = [original, pseudonym].map((bytes) => boundTexts(bytes, type === 0 ? typeOid : type, isArray));
  if (from === undefined || to?.length !== from.length || !from.every(canBeShown)) return undefined;
  return from.flatMap((item, at) => (item === to[at] ? [] : [{ original: item, pseudonym: to[at] ?? '' }]));
}

function boundOriginal(
  value: ReversibleValue,
  body: BindBody,
  index: number,
  type: number,
  masks: SessionMasks,
  encoding: string,
): Uint8Array | undefined {
  const bound = body.values[index];
  if (bound === undefined || bound === null) return undefined;
  if (formatAt(body.formats, index) === 0) {
    if (!(value.isArray ? ARRAYS : SCALARS).has(type) && type !== value.typeOid) return undefined;
    const original = originalOf(value, decodeUtf8(bound), masks);
    return original === undefined || !canWrite(original, encoding) ? undefined : encoder.encode(original);
  }
  const shape = shapeOf(value.typeOid, masks.types?.());
  const writable = (text: string): boolean => canWrite(text, encoding);
  if (value.isArray)
    return ARRAYS.has(type) ? originalArray(value.rule, shape, bound, masks.hash, writable) : undefined;
  // A type that is not named is the column's, or that of the cast, which is not looked for.
  if (type === 0 && value.isCast) return undefined;
  const original = originalBinary(value.rule, shape, bound, type === 0 ? shape.oid : type, masks.hash);
  if (original === undefined || shape.form !== 'text') return original;
  return canWrite(decodeUtf8(original), encoding) ? original : undefined;
}

function equalBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
