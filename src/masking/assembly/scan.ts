/**
 * Looks 48 bytes at a time for places where something may stand.
 *
 * Words of bits shifted over each other show patterns such as three digits, a sign, two digits; four bits before
 * and twelve behind the 48 belong to the neighbours. Every pattern is wider than what the finders accept, never
 * narrower; only where one is met does a finder read bytes.
 */
import { findQuad, maybeSix } from './address';
import { byteAt, gapLength, isDigit } from './bytes';
import { findEmail } from './email';
import * as layout from './layout';
import { findCard, findCpf, findIban, findSsn } from './numbers';
import { giveUp, mask, skipUntil } from './output';
import { findPhone } from './phone';
import { maybePassword, maybeSecret } from './secrets';
import * as span from './span';
import { between, bucketsAt, equalTo, equalToEither, holdsAny, letters, literals, look, upper, wide } from './window';

const BEFORE: usize = 4;
const STEP: usize = 48;
const VALID: u64 = 0x000ffffffffffff0;
const AT: u8 = 0x40;
const AMPERSAND: u8 = 0x26;
const BACKSLASH: u8 = 0x5c;
const SPACE: u8 = 0x20;
const HYPHEN: u8 = 0x2d;

let enabled: u32 = 0;
let form: u32 = 0;

// Where each kind may stand in the bytes at hand.
let escapes: u64 = 0;
let email: u64 = 0;
let card: u64 = 0;
let ssn: u64 = 0;
let phone: u64 = 0;
let iban: u64 = 0;
let quad: u64 = 0;
let six: u64 = 0;
let cpf: u64 = 0;
let password: u64 = 0;
let secret: u64 = 0;
/** Groups of digits before signs of several bytes, or before a hyphen between spaces. */
let oddGap: u64 = 0;

function wants(entity: u32): bool {
  return ((enabled >> entity) & 1) != 0;
}

/** Scans the offsets [0,end) of the chunk. */
export function scan(end: usize): void {
  enabled = load<u32>(layout.ENABLED);
  form = load<u32>(layout.FORM);
  for (let base: usize = 0; base < end; base += STEP) {
    const at = layout.SCAN + base - BEFORE;
    look(at);
    scanSigns(at);
    if ((enabled & layout.NUMBERS) != 0) scanNumbers();
    const all = escapes | email | card | ssn | phone | iban | quad | six | cpf | password | secret | oddGap;
    for (let rest = all & VALID; rest != 0; rest &= rest - 1) {
      const bit = ctz(rest);
      const offset = base - BEFORE + <usize>bit;
      if (offset >= skipUntil) visit(offset, (<u64>1) << bit, <usize>bit);
    }
  }
}

function scanSigns(at: usize): void {
  escapes = email = 0;
  if (holdsAny(AT, AMPERSAND, BACKSLASH)) {
    escapes = equalTo(BACKSLASH) | (equalTo(AMPERSAND) & (equalTo(0x23) >> 1));
    if (wants(layout.EMAIL)) email = equalTo(AT);
  }
  if (form == layout.FORM_COPY_TEXT) {
    // What the server always escapes; one that is a delimiter was cleared.
    escapes |= between(0x08, 6);
  }
  secret = wants(layout.LITERAL) ? literals(at) : 0;
  password = six = 0;
  if (!wants(layout.URL_PASSWORD) && !wants(layout.IP)) return;
  const colon = equalTo(0x3a);
  if (colon == 0) return;
  if (wants(layout.URL_PASSWORD)) {
    const slash = equalTo(0x2f);
    password = colon & (slash >> 1) & (slash >> 2);
  }
  if (!wants(layout.IP)) return;
  const near = colon & upToFive(colon);
  // No colon stands before the first one of an address, nor before the group in front of it.
  six = ((colon & (colon >> 1)) | (near & upToFive(near))) & ~(colon << 1);
}

/** Does one follow two to five bytes later? */
function upToFive(bits: u64): u64 {
  return (bits >> 2) | (bits >> 3) | (bits >> 4) | (bits >> 5);
}

function scanNumbers(): void {
  phone = wants(layout.PHONE) ? equalTo(0x2b) : 0;
  card = ssn = iban = quad = cpf = oddGap = 0;
  const digit = between(0x30, 10);
  if (digit == 0) return;
  const starts = digit & ~(digit << 1);
  const two = digit & (digit >> 1);
  const three = two & (digit >> 2);
  const beyond = wide();
  const group = digit & (digit << 1) & ~((digit << 2) & (digit << 3));
  if (beyond != 0 && (wants(layout.SSN) || wants(layout.PHONE))) oddGap = group & (beyond >> 1);
  if (wants(layout.IBAN)) scanIban(starts & (digit >> 1), digit);
  const dotted = (enabled & layout.DOTTED) != 0;
  if (three == 0 && !dotted) return;
  const dot = dotted ? equalTo(0x2e) : 0;
  if (wants(layout.IP)) {
    const between = dot & (((digit >> 1) & (dot >> 2)) | ((two >> 1) & (dot >> 3)) | ((three >> 1) & (dot >> 4)));
    quad = starts & ((between >> 1) | ((digit >> 1) & (between >> 2)) | ((two >> 1) & (between >> 3)));
  }
  if (three == 0) return;
  const four = three & (digit >> 3);
  const sign = equalToEither(SPACE, HYPHEN);
  if (wants(layout.CARD)) card = starts & four & runOf13(digit | sign | beyond);
  const groups = starts & three & ~(digit >> 3);
  if (groups != 0 && wants(layout.SSN)) ssn = groups & (sign >> 3) & (two >> 4) & (sign >> 6) & (four >> 7);
  if (wants(layout.PHONE)) {
    const gap = sign | dot;
    if (groups != 0) phone |= groups & (((gap >> 3) & (three >> 4) & (gap >> 7) & (four >> 8)) | (equalTo(0x29) >> 3));
    const ends = group & (digit << 2) & (sign >> 1);
    if (ends != 0) {
      const hyphen = equalTo(HYPHEN);
      const space = sign & ~hyphen;
      oddGap |= ends & (space >> 1) & ((beyond >> 2) | ((hyphen >> 2) & (space >> 3) & (digit >> 4)));
    }
  }
  if (wants(layout.CPF)) cpf = starts & three & ((digit | dot) >> 3) & runOf11(digit | dot | equalTo(HYPHEN));
}

function runOf11(bits: u64): u64 {
  const two = bits & (bits >> 1);
  const four = two & (two >> 2);
  return four & (four >> 4) & (two >> 8) & (bits >> 10);
}

function runOf13(bits: u64): u64 {
  const two = bits & (bits >> 1);
  const four = two & (two >> 2);
  return four & (four >> 4) & (four >> 8) & (bits >> 12);
}

/** Two digits behind two letters at the beginning of a word. */
function scanIban(starts: u64, digit: u64): void {
  const before = upper();
  if ((starts & (before << 1) & (before << 2)) == 0) return;
  const letter = letters();
  iban = starts & (letter << 1) & (letter << 2);
  if (iban != 0) iban &= ~((letter | digit) << 3) | (equalTo(BACKSLASH) << 4);
}

function visit(offset: usize, here: u64, bit: usize): void {
  const at = layout.SCAN + offset;
  if ((escapes & here) != 0 && isHiding(offset)) return giveUp(offset);
  if ((email & here) != 0) {
    const before = byteAt(at - 1);
    // A quote that is written twice or as `&quot;` in some structures may end a local part.
    if (before == 0x22 || before == 0x3b) return giveUp(offset);
    if (findEmail(at)) meet(layout.EMAIL, offset);
  }
  if ((card & here) != 0 && findCard(at)) meet(layout.CARD, offset);
  if ((ssn & here) != 0 && findSsn(at)) meet(layout.SSN, offset);
  if ((phone & here) != 0 && findPhone(at)) meet(layout.PHONE, offset);
  if ((iban & here) != 0 && findIban(at)) meet(layout.IBAN, offset);
  if ((quad & here) != 0 && findQuad(at)) meet(layout.IP, offset);
  if ((cpf & here) != 0 && findCpf(at)) meet(layout.CPF, offset);
  if (offset < skipUntil) return;
  if (
    ((oddGap & here) != 0 && joinsDigits(at + 1)) ||
    ((six & here) != 0 && maybeSix(at)) ||
    ((password & here) != 0 && maybePassword(at)) ||
    ((secret & here) != 0 && maybeSecret(at, bucketsAt(bit)))
  )
    giveUp(offset);
}

function meet(entity: u32, offset: usize): void {
  if (offset >= skipUntil) mask(entity, offset, span.from - layout.SCAN, span.to - layout.SCAN);
}

function joinsDigits(at: usize): bool {
  const gap = gapLength(at);
  return gap > 0 && isDigit(byteAt(at + gap));
}

/** Could the escape at `offset` hide something? Not the `\N` of NULL that is a whole field. */
function isHiding(offset: usize): bool {
  if (form != layout.FORM_COPY_TEXT) return true;
  const at = layout.SCAN + offset;
  return !(byteAt(at) == BACKSLASH && byteAt(at + 1) == 0x4e && byteAt(at - 1) == 0 && byteAt(at + 2) == 0);
}
