import { byteProbe, codes, UNREAD } from '../finding/entity.js';
import type { EntityDetector, Span } from '../finding/entity.js';
import { standsAt } from './stands-at.js';

const HYPHEN = 0x2d;
/** RFC 4716 sets a space between the hyphens and the label. */
const SPACE = 0x20;
const BEGIN = codes('BEGIN ');
const END = codes('END ');
const PRIVATE_KEY = codes('PRIVATE KEY');
/** What PGP adds. */
const BLOCK = codes(' BLOCK');
/** `ENCRYPTED`, `RSA`, `OPENSSH`, `PGP`, `SSH2 ENCRYPTED`: the kind in front of `PRIVATE KEY` is no longer than this. */
const MAX_KIND = 32;

/**
 * PEM private keys of any kind, from `-----BEGIN … PRIVATE KEY-----` to their end line. Where that line is
 * missing, the rest of the value is the key.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7468#section-2
 */
export const privateKey: EntityDetector = {
  name: 'private-key',
  partial: 'none',
  pseudonym: 'token',
  triggers: [0x42],
  probes: [
    byteProbe([0x42], [HYPHEN, SPACE], (bytes, at, start, end) => labelEnd(bytes, at, start, end, BEGIN, UNREAD) >= 0),
  ],
  literals: [{ text: BEGIN, least: 0, check: 'pem' }],
  open: 'token',
  find(bytes, at, start, end, span) {
    const body = labelEnd(bytes, at, start, end, BEGIN, span);
    span.from = at;
    if (bytes[at - 1] === SPACE) span.from -= 1;
    while (span.from > start && bytes[span.from - 1] === HYPHEN && at - span.from < MAX_HYPHENS) span.from -= 1;
    if (body < 0) return false;
    span.begun = true;
    span.stage = BODY;
    span.next = body;
    span.open = !followKey(bytes, start, end, span);
    return true;
  },
  lead(bytes, start, end) {
    let from = end;
    if (from > start && bytes[from - 1] === SPACE) from -= 1;
    const label = from;
    while (from > start && bytes[from - 1] === HYPHEN && end - from < MAX_HYPHENS) from -= 1;
    return label === end || label - from >= 2 ? from : end;
  },
  follow: followKey,
};

/** In front of the label, the space among them. */
const MAX_HYPHENS = 6;
/** What `follow` looks for: the end line, then the hyphens that close it. */
const BODY = 0;
const HYPHENS = 1;

function followKey(bytes: Uint8Array, start: number, end: number, span: Span): boolean {
  let to = span.next;
  if (span.stage === BODY) {
    const last = endLabel(bytes, start, end, span);
    if (last < 0) return false;
    span.stage = HYPHENS;
    to = last;
  }
  while (to < end && bytes[to] === HYPHEN) to += 1;
  span.to = span.skipTo = span.next = to;
  return to < end;
}

/** The offset behind the label of the end line, from `span.next` on; -1 where bytes are missing to say, or the value ends without. */
function endLabel(bytes: Uint8Array, start: number, end: number, span: Span): number {
  const look = { ...UNREAD, open: false };
  for (let index = span.next; index < end; index += 1) {
    if (bytes[index] !== 0x45) continue;
    let last = labelEnd(bytes, index, start, end, END, look);
    if (last >= 0 && standsAt(bytes, last, end, BLOCK, look)) last += BLOCK.length;
    if (last >= 0 && !look.open && last < end && bytes[last] === SPACE) {
      look.open = last + 1 >= end;
      if (bytes[last + 1] === HYPHEN && last + 1 < end) last += 1;
    }
    if (look.open || last >= 0) {
      span.next = index;
      span.to = look.open && last < 0 ? end : last;
      span.skipTo = span.to;
      return look.open ? -1 : last;
    }
  }
  span.to = span.skipTo = span.next = end;
  return -1;
}

/** The offset behind `BEGIN … PRIVATE KEY` (or `END …`) whose first letter stands at `at` after a hyphen; -1 where it does not. */
function labelEnd(
  bytes: Uint8Array,
  at: number,
  start: number,
  end: number,
  word: readonly number[],
  span: Span,
): number {
  if (at - 4 < start) return -1;
  const before = bytes[at - 1] === SPACE ? at - 2 : at - 1;
  if (bytes[before] !== HYPHEN || bytes[before - 1] !== HYPHEN) return -1;
  if (!standsAt(bytes, at, end, word, span)) return -1;
  const kind = at + word.length;
  for (let index = kind; index <= kind + MAX_KIND && index < end; index += 1) {
    if (bytes[index] === HYPHEN) {
      span.open = false;
      return -1;
    }
    if (standsAt(bytes, index, end, PRIVATE_KEY, span)) {
      span.open = false;
      return index + PRIVATE_KEY.length;
    }
  }
  span.open ||= end <= kind + MAX_KIND;
  return -1;
}
