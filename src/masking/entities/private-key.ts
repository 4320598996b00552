import { byteProbe, codes } from '../entity.js';
import type { EntityDetector } from '../entity.js';

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
  probes: [byteProbe([0x42], [HYPHEN, SPACE], (bytes, at, start, end) => labelEnd(bytes, at, start, end, BEGIN) >= 0)],
  literals: [{ text: BEGIN, least: 0, check: 'pem' }],
  find(bytes, at, start, end, span) {
    const body = labelEnd(bytes, at, start, end, BEGIN);
    if (body < 0) return false;
    span.from = at;
    if (bytes[at - 1] === SPACE) span.from -= 1;
    while (span.from > start && bytes[span.from - 1] === HYPHEN && at - span.from < 6) span.from -= 1;
    span.to = end;
    for (let index = body; index < end; index += 1) {
      const last = bytes[index] === 0x45 ? labelEnd(bytes, index, start, end, END) : -1;
      if (last < 0) continue;
      span.to = standsAt(bytes, last, end, BLOCK) ? last + BLOCK.length : last;
      if (bytes[span.to] === SPACE && bytes[span.to + 1] === HYPHEN && span.to < end) span.to += 1;
      while (span.to < end && bytes[span.to] === HYPHEN) span.to += 1;
      break;
    }
    span.skipTo = span.to;
    return true;
  },
};

/** The offset behind `BEGIN … PRIVATE KEY` (or `END …`) whose first letter stands at `at` after a hyphen; -1 where it does not. */
function labelEnd(bytes: Uint8Array, at: number, start: number, end: number, word: readonly number[]): number {
  if (at - 4 < start) return -1;
  const before = bytes[at - 1] === SPACE ? at - 2 : at - 1;
  if (bytes[before] !== HYPHEN || bytes[before - 1] !== HYPHEN) return -1;
  if (!standsAt(bytes, at, end, word)) return -1;
  const kind = at + word.length;
  for (let index = kind; index <= kind + MAX_KIND && index < end; index += 1) {
    if (bytes[index] === HYPHEN) return -1;
    if (standsAt(bytes, index, end, PRIVATE_KEY)) return index + PRIVATE_KEY.length;
  }
  return -1;
}

function standsAt(bytes: Uint8Array, at: number, end: number, text: readonly number[]): boolean {
  return at + text.length <= end && text.every((byte, index) => bytes[at + index] === byte);
}
