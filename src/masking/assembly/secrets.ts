/**
 * Secrets that begin with fixed text (keys, tokens, PEM), and passwords in URLs. Says only that one may stand
 * there: how long it is, TypeScript decides.
 */
import { byteAt, ENDS_AUTHORITY, hasClass, isAlphanumeric, isTokenByte, opensWord } from './bytes';
import { BUCKETS, CHECK_JWT, CHECK_KEY, CHECK_PEM, LITERAL_BYTES, LITERALS } from './layout';

const HYPHEN: u8 = 0x2d;
const DOT: u8 = 0x2e;
const MIN_JWT_HEADER: usize = 10;
const MAX_PEM_LABEL: usize = 48;

/** Tokens were looked at up to here: keeps text of many beginnings linear. */
let lookedAtUntil: usize = 0;

export function forgetTokens(): void {
  lookedAtUntil = 0;
}

/** May one of the literals in `buckets` begin at `at`, and go on like a secret of its kind? */
export function maybeSecret(at: usize, buckets: u8): bool {
  for (let rest = <u32>buckets; rest != 0; rest &= rest - 1) {
    const bucket = BUCKETS + 2 * <usize>ctz(rest);
    const end = LITERALS + <usize>load<u16>(bucket, 2) * LITERAL_BYTES;
    for (let entry = LITERALS + <usize>load<u16>(bucket) * LITERAL_BYTES; entry < end; entry += LITERAL_BYTES) {
      const length = <usize>load<u8>(entry, 1);
      if (standsAt(at, entry + 4, length) && goesOn(at, at + length, <usize>load<u8>(entry, 2), load<u8>(entry, 3)))
        return true;
    }
  }
  return false;
}

function standsAt(at: usize, text: usize, length: usize): bool {
  // Nearly all that begin alike differ within four bytes; of a shorter text those behind it are shifted out.
  const others: u32 = length < 4 ? 32 - 8 * <u32>length : 0;
  if ((load<u32>(at) ^ load<u32>(text)) << others != 0) return false;
  for (let index: usize = 0; index < length; index += 1) if (byteAt(at + index) != load<u8>(text + index)) return false;
  return true;
}

function goesOn(at: usize, body: usize, least: usize, check: u8): bool {
  if (check == CHECK_KEY) {
    if (!opensWord(at)) return false;
    for (let index = body; index < body + least; index += 1) {
      const byte = byteAt(index);
      if (!isTokenByte(byte) && byte != DOT) return false;
    }
    return true;
  }
  if (check == CHECK_JWT) return opensWord(at) && hasHeader(at);
  return check != CHECK_PEM || isPem(at);
}

function hasHeader(at: usize): bool {
  if (at < lookedAtUntil) return false;
  let index = at;
  while (isTokenByte(byteAt(index))) index += 1;
  lookedAtUntil = index;
  return index >= at + MIN_JWT_HEADER && byteAt(index) == DOT;
}

/** Hyphens before it, and a label of capitals behind it that ends in `KEY`. */
function isPem(at: usize): bool {
  const before = byteAt(at - 1) == 0x20 ? at - 2 : at - 1;
  if (byteAt(before) != HYPHEN || byteAt(before - 1) != HYPHEN) return false;
  for (let index = at; index < at + MAX_PEM_LABEL; index += 1) {
    const byte = byteAt(index);
    if (byte == HYPHEN) return false;
    if (byte == 0x4b && byteAt(index + 1) == 0x45 && byteAt(index + 2) == 0x59) return true;
  }
  return false;
}

/** May a password stand behind the `://` at `at`? */
export function maybePassword(at: usize): bool {
  if (!isAlphanumeric(byteAt(at - 1))) return false;
  let colon = false;
  for (let index = at + 3; !hasClass(byteAt(index), ENDS_AUTHORITY); index += 1) {
    const byte = byteAt(index);
    if (byte == 0x3a) colon = true;
    else if (byte == 0x40 && colon) return true;
  }
  return false;
}
