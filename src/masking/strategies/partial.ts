import { isAlphanumeric } from '../finding/byte-classes.js';
import { codes } from '../finding/entity.js';
import type { PartialShape } from '../finding/entity.js';

const STAR = 0x2a;
const AT = 0x40;
const COLON = 0x3a;
const SHOWN = 4;
const HIDDEN_LOCAL = 5;

/** 1 for letters, digits and the first byte of every character beyond ASCII, 2 for the bytes that follow that one. */
const COUNTED = new Uint8Array(256);
for (let byte = 0; byte < 256; byte += 1) {
  if (byte >= 0x80) COUNTED[byte] = byte < 0xc0 ? 2 : 1;
  else if (isAlphanumeric(byte)) COUNTED[byte] = 1;
}

/** bytes[from,to) as `partial` shows it: its shape, and of its letters and digits what `shape` allows. */
export function partialOf(bytes: Uint8Array, from: number, to: number, shape: PartialShape, label: string): Uint8Array {
  switch (shape) {
    case 'domain':
      return domainOf(bytes, from, to);
    case 'last4':
      return tailOf(bytes, from, to, true);
    case 'third':
      return tailOf(bytes, from, to, false);
    case 'quad':
      for (let at = from; at < to; at += 1) if (bytes[at] === COLON) return new Uint8Array(codes(`[${label}]`));
      return tailOf(bytes, from, to, false);
    case 'none':
      return new Uint8Array(codes(`[${label}]`));
  }
}

/** Everything before the last `@` is five stars, so that the length stays hidden too. */
function domainOf(bytes: Uint8Array, from: number, to: number): Uint8Array {
  let at = to - 1;
  while (at > from && bytes[at] !== AT) at -= 1;
  const shown = new Uint8Array(HIDDEN_LOCAL + to - at);
  for (let index = 0; index < HIDDEN_LOCAL; index += 1) shown[index] = STAR;
  for (let index = HIDDEN_LOCAL; at < to; index += 1, at += 1) shown[index] = bytes[at] as number;
  return shown;
}

/** Stars for every letter and digit but the last; signs between them stay. A character of several bytes is one star. */
function tailOf(bytes: Uint8Array, from: number, to: number, always: boolean): Uint8Array {
  let count = 0;
  let following = 0;
  for (let at = from; at < to; at += 1) {
    const counted = COUNTED[bytes[at] as number] as number;
    if (counted === 1) count += 1;
    else if (counted === 2) following += 1;
  }
  let hidden = count - (always && count > 2 * SHOWN ? SHOWN : Math.min(SHOWN, Math.floor(count / 3)));
  const out = new Uint8Array(to - from);
  let length = 0;
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] as number;
    const counted = COUNTED[byte] as number;
    if (counted === 1 && hidden > 0) {
      hidden -= 1;
      out[length++] = STAR;
    } else if (counted !== 2 || (hidden === 0 && length > 0 && (out[length - 1] as number) !== STAR))
      out[length++] = byte;
  }
  return following === 0 ? out : out.subarray(0, length);
}
