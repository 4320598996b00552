import { isAlphanumeric } from './byte-classes.js';
import { codes } from './entity.js';
import type { PartialShape } from './entity.js';

const STAR = 0x2a;
const AT = 0x40;
const COLON = 0x3a;
const SHOWN = 4;
const HIDDEN_LOCAL = codes('*****');

/** The value as `partial` shows it: its shape, and of its letters and digits what `shape` allows. */
export function partialOf(bytes: Uint8Array, shape: PartialShape, label: string): Uint8Array {
  if (shape === 'none' || (shape === 'quad' && bytes.includes(COLON))) return new Uint8Array(codes(`[${label}]`));
  if (shape === 'domain') return domainOf(bytes);
  return tailOf(bytes, shape === 'last4');
}

/** Everything before the last `@` is five stars, so that the length stays hidden too. */
function domainOf(bytes: Uint8Array): Uint8Array {
  const domain = bytes.subarray(bytes.lastIndexOf(AT));
  const shown = new Uint8Array(HIDDEN_LOCAL.length + domain.length);
  shown.set(HIDDEN_LOCAL);
  shown.set(domain, HIDDEN_LOCAL.length);
  return shown;
}

/** Stars for every letter and digit but the last; signs between them stay. A character of several bytes is one star. */
function tailOf(bytes: Uint8Array, always: boolean): Uint8Array {
  let count = 0;
  for (const byte of bytes) if (isCounted(byte)) count += 1;
  const shown = always && count > 2 * SHOWN ? SHOWN : Math.min(SHOWN, Math.floor(count / 3));
  let hidden = count - shown;
  const out = new Uint8Array(bytes.length);
  let length = 0;
  for (const byte of bytes) {
    if (isCounted(byte) && hidden > 0) {
      hidden -= 1;
      out[length++] = STAR;
    } else if (!isContinuation(byte) || hidden === 0) out[length++] = byte;
  }
  return out.subarray(0, length);
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/** Letters and digits, and every character beyond ASCII. */
function isCounted(byte: number): boolean {
  return isAlphanumeric(byte) || byte >= 0xc0;
}
