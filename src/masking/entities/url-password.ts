import { isAlphanumeric } from '../finding/byte-classes.js';
import { byteProbe, codes, MAX_OPEN_BYTES } from '../finding/entity.js';
import type { EntityDetector, Span } from '../finding/entity.js';

const AT = 0x40;
const COLON = 0x3a;
const SLASH = 0x2f;
const STAR = 0x2a;
const LABEL = codes('[password-in-url]');

/** What ends the part of a URL that can hold a password: white space, control bytes, quotes, brackets, the path. */
export const ENDS_AUTHORITY = new Uint8Array(256);
for (let byte = 0; byte <= 0x20; byte += 1) ENDS_AUTHORITY[byte] = 1;
for (const byte of codes('/?#"\'<>\\`')) ENDS_AUTHORITY[byte] = 1;

/**
 * The password of `scheme://user:password@host`; scheme, user and host stay. The password goes to the last
 * `@` of the authority, since people write one into passwords.
 *
 * @see https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1
 */
export const passwordInUrl: EntityDetector = {
  name: 'password-in-url',
  partial: 'none',
  pseudonym: 'token',
  triggers: [COLON],
  probes: [
    byteProbe([AT], 'any', (bytes, at, start) => {
      for (let index = at - 1; index >= start; index -= 1) {
        const byte = bytes[index] as number;
        if (byte === COLON) return true;
        if (byte === AT || ENDS_AUTHORITY[byte] === 1) return false;
      }
      return false;
    }),
  ],
  open: 'url',
  find(bytes, at, start, end, span) {
    if (at === start || !isAlphanumeric(bytes[at - 1] as number)) return false;
    for (let index = at + 1; index < at + 3; index += 1) {
      if (index >= end) return awaits(span, SCHEME, Infinity, Infinity);
      if (bytes[index] !== SLASH) return false;
    }
    const user = at + 3;
    let colon = user;
    const stop = Math.min(end, user + MAX_OPEN_BYTES);
    while (colon < stop && bytes[colon] !== COLON && ENDS_AUTHORITY[bytes[colon] as number] === 0) colon += 1;
    span.skipTo = colon;
    if (colon >= end) return awaits(span, USER, Infinity, user + MAX_OPEN_BYTES);
    return colon < stop && bytes[colon] === COLON && passwordFollows(bytes, colon + 1, end, span);
  },
  stays(bytes, from, end, stage) {
    if (stage === SCHEME) return false;
    const stop = stage === USER ? COLON : AT;
    for (let at = from; at < end; at += 1)
      if (bytes[at] === stop || ENDS_AUTHORITY[bytes[at] as number] === 1) return false;
    return true;
  },
  follow: (bytes, _start, end, span) => followPassword(bytes, end, span),
};

/** What is waited for: the slashes, the colon behind the user, the first `@` that makes it a password. */
const SCHEME = 0;
const USER = 1;
const PASSWORD = 2;
/** What `follow` does: looks for the last `@`, or takes everything. */
const LAST = 3;
const ALL = 4;

function awaits(span: Span, stage: number, from: number, until: number): false {
  span.open = true;
  span.stage = stage;
  span.from = from;
  span.until = until;
  return false;
}

function passwordFollows(bytes: Uint8Array, from: number, end: number, span: Span): boolean {
  span.from = span.to = span.next = from;
  span.stage = LAST;
  const over = followPassword(bytes, end, span);
  const found = span.stage === ALL || (span.to > from && !isMasked(bytes, from, span.to));
  if (over) return found;
  if (!found) return awaits(span, PASSWORD, from, from + MAX_OPEN_BYTES);
  span.begun = true;
  span.open = true;
  return true;
}

/** An authority that is too long to wait for its end is taken for a password. */
function followPassword(bytes: Uint8Array, end: number, span: Span): boolean {
  let at = span.next;
  const limit = span.from + MAX_OPEN_BYTES;
  for (; at < end && ENDS_AUTHORITY[bytes[at] as number] === 0; at += 1) {
    if (at >= limit) span.stage = ALL;
    if (bytes[at] === AT) span.to = at;
  }
  if (span.stage === ALL) span.to = at;
  span.next = at;
  span.skipTo = at;
  return at < end;
}

/** Is it what `redact` or `partial` left there? */
function isMasked(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from === LABEL.length && LABEL.every((byte, index) => bytes[from + index] === byte)) return true;
  for (let index = from; index < to; index += 1) if (bytes[index] !== STAR) return false;
  return true;
}
