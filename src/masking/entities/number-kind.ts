import { awaitsNumberEnd, closesNumber, isAlphanumeric, isDigit, opensNumber } from '../finding/byte-classes.js';
import { byteProbe } from '../finding/entity.js';
import type { EntityDetector, PartialShape, Probe, Span } from '../finding/entity.js';
import { ContextWords } from './context.js';
import { bytesAt, fitOf, readLayout, valuesOf } from './layout.js';
import type { Layout, ReadLayout } from './layout.js';

/** Letters and digits of a number, 0 to 35, without separators. */
export type Values = Uint8Array;

/** A kind of number with a fixed way of writing: most identity, tax and account numbers. */
export interface NumberKind {
  readonly name: string;
  /** Written like this it is taken for the kind wherever it stands. */
  readonly sure?: readonly Layout[];
  /** Written like this it needs one of `words` in front, in the same value. */
  readonly near?: readonly Layout[];
  /** In small letters. */
  readonly words?: readonly string[];
  /** Check digits, dates, areas: what the writing does not say. @param count of `values`, which may hold more behind */
  readonly check: (values: Values, count: number) => boolean;
  /** What only the text itself tells: capitals, a hash. Asked last, since it may cost more. */
  readonly exact?: (bytes: Uint8Array, from: number, to: number) => boolean;
  readonly partial?: PartialShape;
}

const MAX_PLACES = 80;
const HYPHEN = 0x2d;
const SPACE = 0x20;
const SLASH = 0x2f;

/** The detector of such a kind. It reads at most as many bytes as its longest layout has, and the words' reach in front. */
export function numberDetector(kind: NumberKind): EntityDetector {
  const layouts = [
    ...(kind.sure ?? []).map((text) => readLayout(text, true)),
    ...(kind.near ?? []).map((text) => readLayout(text, false)),
  ].sort((a, b) => b.text.length - a.text.length);
  const words = new ContextWords(kind.words ?? []);
  const values = new Uint8Array(MAX_PLACES);
  const checked = ({ text }: ReadLayout, bytes: Uint8Array, at: number): boolean =>
    kind.check(values, valuesOf(bytes, at, at + text.length, values));
  const mayBe: MayBe = (layout, bytes, at, end) =>
    fitOf(layout, bytes, at, end) === 'whole' &&
    checked(layout, bytes, at) &&
    (layout.sure || words.mayStandBefore(bytes, at));
  return {
    name: kind.name,
    partial: kind.partial ?? 'third',
    pseudonym: 'token',
    triggers: [...new Set(layouts.flatMap(({ text }) => bytesAt(text[0] as string)))],
    probes: layouts.flatMap(spellings).map((layout) => probeOf(layout, mayBe)),
    find(bytes, at, start, end, span) {
      span.from = at;
      if (!opens(bytes, at, start)) return false;
      for (const layout of layouts) {
        const fit = fitOf(layout, bytes, at, end);
        if (fit === 'begun') span.open = true;
        if (fit !== 'whole') continue;
        const to = at + layout.text.length;
        if (!closes(layout, bytes, to, end, span) || !checked(layout, bytes, at)) continue;
        if (!layout.sure && !words.standBefore(bytes, start, at)) continue;
        if (kind.exact?.(bytes, at, to) === false) continue;
        span.to = to;
        return true;
      }
      return false;
    },
  };
}

type MayBe = (layout: ReadLayout, bytes: Uint8Array, at: number, end: number) => boolean;

/** As it may stand in wire bytes: JSON may write a slash with a backslash in front. */
function spellings(layout: ReadLayout): ReadLayout[] {
  if (!layout.text.includes('/')) return [layout];
  return [layout, readLayout(layout.text.replaceAll('/', '\\/'), layout.sure)];
}

/** Looks where the kind of sign changes first: that is the rarest pair of neighbours that every layout tells. */
function probeOf(layout: ReadLayout, mayBe: MayBe): Probe {
  const { text } = layout;
  if (!/[A-Za-z]/.test(text) && text.startsWith('9')) {
    return {
      kind: 'digits',
      minBytes: text.length,
      minDigits: text.replaceAll(/[^9]/g, '').length,
      signs: [...new Set(Array.from(text).flatMap((sign) => (sign === '9' ? [] : bytesAt(sign))))],
      mayStandAt: (bytes, at, _start, end) => mayBe(layout, bytes, at, end),
    };
  }
  let anchor = 1;
  while (anchor < text.length - 1 && text[anchor] === text[anchor - 1]) anchor += 1;
  const [before, here] = [bytesAt(text[anchor - 1] as string), bytesAt(text[anchor] as string)];
  return byteProbe(
    here,
    before,
    (bytes, at, start, end) => at - anchor >= start && mayBe(layout, bytes, at - anchor, end),
  );
}

/** Not inside of a word or number, nor behind a group of digits that goes on with this one, as dates and UUIDs do. */
function opens(bytes: Uint8Array, at: number, start: number): boolean {
  if (!opensNumber(bytes, at, start)) return false;
  if (at - 2 < start) return true;
  return !(joins(bytes[at - 1] as number) && isDigit(bytes[at - 2] as number));
}

/** The same at the end. Sets `open` where the bytes to come decide. */
function closes({ text }: ReadLayout, bytes: Uint8Array, to: number, end: number, span: Span): boolean {
  if (!closesNumber(bytes, to, end)) return false;
  if (awaitsNumberEnd(bytes, to, end)) span.open = true;
  if (to >= end) return true;
  const byte = bytes[to] as number;
  const goesOn = joins(byte) || (byte === SPACE && text.includes(' '));
  if (!goesOn) return true;
  if (to + 1 >= end) span.open = true;
  if (to + 1 >= end) return true;
  const next = bytes[to + 1] as number;
  return !(byte === HYPHEN ? isAlphanumeric(next) : isDigit(next));
}

function joins(byte: number): boolean {
  return byte === HYPHEN || byte === SLASH;
}
