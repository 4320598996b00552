import { isAlphanumeric, isTokenByte, isEscapeLetter } from '../byte-classes.js';
import { byteProbe, codes } from '../entity.js';
import type { EntityDetector } from '../entity.js';

const [LETTER_E, LETTER_Y, LETTER_J] = codes('eyJ') as [number, number, number];
const DOT = 0x2e;
const BACKSLASH = 0x5c;
/** `{"alg":"HS256"}` is the least a header says; less than this many characters is no header. */
const MIN_HEADER = 10;

/**
 * JSON web tokens in the compact form, signed (three parts) or encrypted (five): every header begins with
 * `{"`, in base64url `eyJ`. The signature may be empty.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7515#section-7.1
 */
export const jwt: EntityDetector = {
  name: 'jwt',
  partial: 'third',
  pseudonym: 'token',
  triggers: [LETTER_E],
  probes: [byteProbe([LETTER_J], [LETTER_Y], (bytes, at, start) => at - 2 >= start && bytes[at - 2] === LETTER_E)],
  literals: [{ text: codes('eyJ'), least: 0, check: 'jwt' }],
  find(bytes, at, start, end, span) {
    if (bytes[at + 1] !== LETTER_Y || at + 2 >= end || bytes[at + 2] !== LETTER_J) return false;
    const before = at > start ? (bytes[at - 1] as number) : 0;
    const escaped = at - 2 >= start && bytes[at - 2] === BACKSLASH && isEscapeLetter(before);
    if (isAlphanumeric(before) && !escaped) return false;
    const header = partEnd(bytes, at, end);
    if (header >= end || bytes[header] !== DOT) {
      // Whatever else begins inside this part ends like it.
      span.skipTo = header;
      return false;
    }
    if (header - at < MIN_HEADER) return false;
    const payload = partEnd(bytes, header + 1, end);
    const signed = payload < end && bytes[payload] === DOT;
    // A token cut off in its payload still tells what it says.
    const cut =
      bytes[header + 1] === LETTER_E &&
      bytes[header + 2] === LETTER_Y &&
      bytes[header + 3] === LETTER_J &&
      payload >= header + 4;
    if (!cut && !(signed && (payload > header + 1 || continues(bytes, payload, end)))) {
      span.skipTo = header;
      return false;
    }
    let to = signed ? partEnd(bytes, payload + 1, end) : payload;
    while (signed && continues(bytes, to, end)) to = partEnd(bytes, to + 1, end);
    span.from = at;
    span.to = to;
    span.skipTo = to;
    return true;
  },
};

/** Does another part follow the dot at `at`? */
function continues(bytes: Uint8Array, at: number, end: number): boolean {
  return at + 1 < end && bytes[at] === DOT && isTokenByte(bytes[at + 1] as number);
}

function partEnd(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && isTokenByte(bytes[at] as number)) at += 1;
  return at;
}
