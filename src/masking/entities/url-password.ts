import { isAlphanumeric } from '../byte-classes.js';
import { byteProbe, codes } from '../entity.js';
import type { EntityDetector } from '../entity.js';

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
  find(bytes, at, start, end, span) {
    if (at === start || at + 2 >= end || bytes[at + 1] !== SLASH || bytes[at + 2] !== SLASH) return false;
    if (!isAlphanumeric(bytes[at - 1] as number)) return false;
    let colon = -1;
    let last = -1;
    let index = at + 3;
    for (; index < end && ENDS_AUTHORITY[bytes[index] as number] === 0; index += 1) {
      if (bytes[index] === COLON && colon < 0) colon = index;
      if (bytes[index] === AT) last = index;
    }
    span.skipTo = index;
    if (colon < 0 || last <= colon + 1 || isMasked(bytes, colon + 1, last)) return false;
    span.from = colon + 1;
    span.to = last;
    return true;
  },
};

/** Is it what `redact` or `partial` left there? */
function isMasked(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from === LABEL.length && LABEL.every((byte, index) => bytes[from + index] === byte)) return true;
  for (let index = from; index < to; index += 1) if (bytes[index] !== STAR) return false;
  return true;
}
