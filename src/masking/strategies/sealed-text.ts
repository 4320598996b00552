/**
 * Text that only the key's holder can read again, the same text always sealed alike: a synthetic
 * initialisation vector made of the text, and a key stream made of that, in the manner of SIV.
 *
 *     base32( tag 10 B | text XOR stream )
 *
 * @see https://www.rfc-editor.org/rfc/rfc5297
 */
import type { KeyedHash } from '../../core/mask.js';
import { concatBytes } from '../../core/bytes.js';

const TAG_BYTES = 10;
const DIGITS = 'abcdefghijklmnopqrstuvwxyz234567';

export function sealText(kind: string, text: Uint8Array, hash: KeyedHash): string {
  const tag = tagOf(kind, text, hash);
  return base32(concatBytes([tag, streamed(kind, tag, text, hash)]));
}

/** @returns undefined where it is none that `sealText` made with this kind and key */
export function openText(kind: string, sealed: string, hash: KeyedHash): Uint8Array | undefined {
  const bytes = fromBase32(sealed);
  if (bytes === undefined || bytes.length < TAG_BYTES) return undefined;
  const tag = bytes.subarray(0, TAG_BYTES);
  const text = streamed(kind, tag, bytes.subarray(TAG_BYTES), hash);
  const expected = tagOf(kind, text, hash);
  let difference = 0;
  for (const [index, byte] of expected.entries()) difference |= byte ^ (tag[index] as number);
  return difference === 0 ? text : undefined;
}

function tagOf(kind: string, text: Uint8Array, hash: KeyedHash): Uint8Array {
  return hash(concatBytes([label('tag', kind), text])).subarray(0, TAG_BYTES);
}

function streamed(kind: string, tag: Uint8Array, text: Uint8Array, hash: KeyedHash): Uint8Array {
  const head = concatBytes([label('stream', kind), tag]);
  const out = new Uint8Array(text);
  let block: Uint8Array = new Uint8Array(0);
  for (let at = 0, inBlock = 0; at < out.length; at += 1, inBlock += 1) {
    if (inBlock === block.length) {
      block = hash(concatBytes([head, new TextEncoder().encode(String(at))]));
      inBlock = 0;
    }
    out[at] = (out[at] as number) ^ (block[inBlock] as number);
  }
  return out;
}

const label = (use: string, kind: string): Uint8Array => new TextEncoder().encode(`sealed\0${use}\0${kind}\0`);

/** RFC 4648, lower case, without padding. */
function base32(bytes: Uint8Array): string {
  let out = '';
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    for (; bits >= 5; bits -= 5) out += DIGITS.charAt((held >> (bits - 5)) & 31);
  }
  return bits === 0 ? out : out + DIGITS.charAt((held << (5 - bits)) & 31);
}

/** Undefined where there are other characters, or bits left over that are not zero. */
function fromBase32(text: string): Uint8Array | undefined {
  const out = new Uint8Array(Math.floor((text.length * 5) / 8));
  let held = 0;
  let bits = 0;
  let length = 0;
  for (const char of text) {
    const digit = DIGITS.indexOf(char);
    if (digit < 0) return undefined;
    held = ((held << 5) | digit) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    out[length++] = (held >> bits) & 0xff;
  }
  return bits < 5 && (held & ((1 << bits) - 1)) === 0 ? out : undefined;
}
