import { isAlphanumeric, isTokenByte, isEscapeLetter } from '../finding/byte-classes.js';
import { byteProbe, codes, MAX_OPEN_BYTES } from '../finding/entity.js';
import type { EntityDetector, Span } from '../finding/entity.js';

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
  open: 'token',
  find(bytes, at, start, end, span) {
    if (at + 1 < end && bytes[at + 1] !== LETTER_Y) return false;
    const before = at > start ? (bytes[at - 1] as number) : 0;
    const escaped = at - 2 >= start && bytes[at - 2] === BACKSLASH && isEscapeLetter(before);
    if (isAlphanumeric(before) && !escaped) return false;
    span.from = at;
    if (at + 2 >= end) return awaits(span, START);
    if (bytes[at + 2] !== LETTER_J) return false;
    const header = partEnd(bytes, at, Math.min(end, at + MAX_OPEN_BYTES));
    if (header - at >= MAX_OPEN_BYTES) return begins(bytes, start, end, span, header, CHAINED);
    if (header >= end || bytes[header] !== DOT) {
      // Whatever else begins inside this part ends like it.
      span.skipTo = header;
      span.until = at + MAX_OPEN_BYTES;
      return header >= end && awaits(span, RUN);
    }
    if (header - at < MIN_HEADER) return false;
    return payloadFollows(bytes, header + 1, start, end, span);
  },
  stays: (bytes, from, end, stage) => stage === RUN && partEnd(bytes, from, end) === end,
  follow: followToken,
};

/** Behind the header of the token that begins at `span.from`. */
function payloadFollows(bytes: Uint8Array, from: number, start: number, end: number, span: Span): boolean {
  const payload = partEnd(bytes, from, Math.min(end, from + MAX_OPEN_BYTES));
  // A token cut off in its payload still tells what it says.
  const cut =
    bytes[from] === LETTER_E && bytes[from + 1] === LETTER_Y && bytes[from + 2] === LETTER_J && payload >= from + 3;
  if (cut || payload - from >= MAX_OPEN_BYTES) return begins(bytes, start, end, span, from, PAYLOAD);
  const signed = payload < end && bytes[payload] === DOT;
  if (signed && (payload > from || continues(bytes, payload, end)))
    return begins(bytes, start, end, span, from, PAYLOAD);
  span.skipTo = from - 1;
  span.until = from + MAX_OPEN_BYTES;
  if (payload >= end) return awaits(span, payload - from < 3 ? START : RUN);
  return signed && payload + 1 >= end && awaits(span, START);
}

/** Waiting: every byte may settle it. */
const START = 0;

/** In the payload, whose dot belongs to the token whatever follows; behind it a dot belongs to it where another part follows. */
const PAYLOAD = 1;
const CHAINED = 2;
/** Waiting for the end of a part. */
const RUN = 3;

function begins(bytes: Uint8Array, start: number, end: number, span: Span, next: number, stage: number): boolean {
  span.begun = true;
  span.next = next;
  span.stage = stage;
  span.open = !followToken(bytes, start, end, span);
  return true;
}

function followToken(bytes: Uint8Array, _start: number, end: number, span: Span): boolean {
  let at = partEnd(bytes, span.next, end);
  if (span.stage === PAYLOAD && at < end && bytes[at] === DOT) {
    span.stage = CHAINED;
    at = partEnd(bytes, at + 1, end);
  }
  while (span.stage === CHAINED && continues(bytes, at, end)) at = partEnd(bytes, at + 1, end);
  span.to = at;
  span.next = at;
  span.skipTo = at;
  return at < end && !(span.stage === CHAINED && bytes[at] === DOT && at + 1 >= end);
}

/** Nothing is found as long as nothing more comes. */
function awaits(span: Span, stage: number): false {
  span.open = true;
  span.stage = stage;
  return false;
}

/** Does another part follow the dot at `at`? */
function continues(bytes: Uint8Array, at: number, end: number): boolean {
  return at + 1 < end && bytes[at] === DOT && isTokenByte(bytes[at + 1] as number);
}

function partEnd(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && isTokenByte(bytes[at] as number)) at += 1;
  return at;
}
