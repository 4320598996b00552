import {
  brokenCharLength,
  isAlphanumeric,
  isDigit,
  isEscapeLetter,
  isHexDigit,
  wideLetterLength,
  wideLetterLengthBefore,
} from '../finding/byte-classes.js';
import { codes, MAX_OPEN_BYTES, newSpan, UNREAD } from '../finding/entity.js';
import type { EntityDetector, Span } from '../finding/entity.js';

const AT = 0x40;
const QUOTE = 0x22;
/** RFC 5321 4.5.3.1.1: a local part has at most 64 octets; only quoted ones need the bound. */
const MAX_QUOTED = 64;

/**
 * What a local part may hold in practice. RFC 5322 also allows `= / ? & | { }`, but beside an address these
 * are the structure around it (`?email=…&`, `{a@b.example,c@d.example}`, `/users/…`).
 */
export const LOCAL = new Uint8Array(256);
/** Local bytes that are structure when they stand in front: quotes, bullets, mark-up. */
export const LEADING = new Uint8Array(256);
for (let byte = 0; byte < 128; byte += 1) if (isAlphanumeric(byte)) LOCAL[byte] = 1;
for (const byte of codes(".!#$%'*+-^_`~")) LOCAL[byte] = 1;
for (const byte of codes(".!#$'*-^`~")) LEADING[byte] = 1;

/** `u_` and twelve hex digits at this domain are our own pseudonyms: they are never masked again. */
const PSEUDONYM_DOMAIN = codes('@masked.invalid');

/** Names of pictures such as `icon@2x.png` look like addresses; none of these is a top-level domain. */
const FILE_ENDINGS = ['png', 'jpg', 'jpeg', 'gif', 'webp', 'svg'].map(codes);

/**
 * Mail addresses as they are written in practice: a local part with letters of any script or in quotes, a
 * domain with a dot and a top-level domain that begins with a letter. Not: `@Injectable`, `npm@1.2.3`, `user@host`.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5321#section-4.1.2
 */
export const email: EntityDetector = {
  name: 'email',
  partial: 'domain',
  pseudonym: 'email',
  triggers: [AT],
  probes: [
    {
      kind: 'byte',
      bytes: [AT],
      before: Array.from({ length: 256 }, (_, byte) => byte).filter(
        (byte) => byte >= 0x80 || byte === QUOTE || LOCAL[byte] === 1,
      ),
      mayStandAt: (bytes, at, _start, end) => domainEnd(bytes, at + 1, end, false, UNREAD) >= 0,
    },
  ],
  find(bytes, at, start, end, span) {
    const to = domainEnd(bytes, at + 1, end, true, span);
    if (to < 0 && !span.open) return false;
    const from = at > start && bytes[at - 1] === QUOTE ? quotedStart(bytes, at, start) : localStart(bytes, at, start);
    span.from = from;
    span.to = to;
    span.until = at + MAX_OPEN_BYTES;
    span.open &&= from < at;
    return to >= 0 && from < at && !isPseudonym(bytes, from, at, to);
  },
  stays(bytes, from, end) {
    // The first bytes of a character may have come before.
    let at = from - brokenCharLength(bytes, 0, from);
    while (at < end) {
      const byte = bytes[at] as number;
      if (byte >= 0x80) {
        const length = wideLetterLength(bytes, at, end);
        if (length === 0) return at + brokenCharLength(bytes, at, end) === end;
        at += length;
      } else {
        const dotted = byte === 0x2e && bytes[at - 1] !== 0x2e && bytes[at - 1] !== AT;
        if (!dotted && !isAlphanumeric(byte) && byte !== 0x2d) return false;
        at += 1;
      }
    }
    return true;
  },
  lead: quotedLead,
  word: true,
};

/** Where a quoted local part may have begun: at a quote, within reach. Words are followed apart; see `stream-scan.ts`. */
function quotedLead(bytes: Uint8Array, start: number, end: number): number {
  const stop = Math.max(start, end - 2 - MAX_QUOTED);
  for (let from = end - 1; from >= stop; from -= 1) {
    if ((bytes[from] as number) < 0x20) return end;
    if (bytes[from] !== QUOTE || (from > start && bytes[from - 1] === 0x5c)) continue;
    if (from < end - 1) return from;
    const opening = quotedStart(bytes, end, start);
    return opening < end ? opening : from;
  }
  return end;
}

function localStart(bytes: Uint8Array, at: number, start: number): number {
  let from = at;
  while (from > start && at - from < MAX_OPEN_BYTES) {
    const before = bytes[from - 1] as number;
    const length = before < 0x80 ? (LOCAL[before] as number) : wideLetterLengthBefore(bytes, from, start);
    if (length === 0) break;
    from -= length;
  }
  if (from > start && from < at && bytes[from - 1] === 0x5c && isEscapeLetter(bytes[from] as number)) from += 1;
  while (from < at && LEADING[bytes[from] as number] === 1) from += 1;
  return from;
}

function quotedStart(bytes: Uint8Array, at: number, start: number): number {
  const stop = Math.max(start, at - 2 - MAX_QUOTED);
  for (let from = at - 2; from >= stop; from -= 1) {
    if (bytes[from] === QUOTE && (from === start || bytes[from - 1] !== 0x5c)) return from < at - 2 ? from : at;
    if ((bytes[from] as number) < 0x20) return at;
  }
  return at;
}

/**
 * The end of the domain that begins at `from`, or -1. Backs off from labels that can't end one.
 *
 * @param whole false: letters that are not the value's may follow, so lookalikes are not told apart
 */
function domainEnd(bytes: Uint8Array, from: number, limit: number, whole: boolean, span: Span): number {
  const end = Math.min(limit, from + MAX_OPEN_BYTES);
  let at = from;
  let label = from;
  let labels = 0;
  let best = -1;
  while (at <= end) {
    const byte = at < end ? (bytes[at] as number) : 0;
    const length =
      at >= end ? 0 : byte < 0x80 ? (isAlphanumeric(byte) || byte === 0x2d ? 1 : 0) : wideLetterLength(bytes, at, end);
    if (length > 0) {
      at += length;
      continue;
    }
    if (at + 3 >= limit && at + brokenCharLength(bytes, at, limit) >= limit) span.open = true;
    if (at === label) break;
    labels += 1;
    let labelEnd = at;
    while (labelEnd > label && bytes[labelEnd - 1] === 0x2d) labelEnd -= 1;
    if (labels > 1 && labelEnd - label >= 2 && !isDigit(bytes[label] as number) && bytes[label] !== 0x2d)
      best = labelEnd;
    if (byte !== 0x2e || at >= end) break;
    at += 1;
    label = at;
  }
  return whole && best >= 0 && (isVersion(bytes, from, best) || isFileName(bytes, best)) ? -1 : best;
}

/** `1.2.3-rc.next`, `v4.1.0-beta.one`: what follows the name of a package. */
function isVersion(bytes: Uint8Array, from: number, end: number): boolean {
  let at = (bytes[from] as number) === 0x76 ? from + 1 : from;
  for (let part = 0; part < 3; part += 1) {
    const first = at;
    while (at < end && isDigit(bytes[at] as number)) at += 1;
    if (at === first) return false;
    if (part < 2 && (at >= end || bytes[at] !== 0x2e)) return false;
    if (part < 2) at += 1;
  }
  return at < end && !isAlphanumeric(bytes[at] as number);
}

function isFileName(bytes: Uint8Array, end: number): boolean {
  return FILE_ENDINGS.some(
    (ending) =>
      bytes[end - ending.length - 1] === 0x2e &&
      ending.every((byte, index) => bytes[end - ending.length + index] === byte),
  );
}

function isPseudonym(bytes: Uint8Array, from: number, at: number, to: number): boolean {
  if (at - from !== 14 || to - at !== PSEUDONYM_DOMAIN.length || bytes[from] !== 0x75 || bytes[from + 1] !== 0x5f)
    return false;
  for (let index = from + 2; index < at; index += 1) if (!isHexDigit(bytes[index] as number)) return false;
  return PSEUDONYM_DOMAIN.every((byte, index) => bytes[at + index] === byte);
}

/** Is the whole value one address? */
export function isEmail(bytes: Uint8Array): boolean {
  const at = bytes.lastIndexOf(AT);
  const span = newSpan();
  return at > 0 && email.find(bytes, at, 0, bytes.length, span) && span.from === 0 && span.to === bytes.length;
}
