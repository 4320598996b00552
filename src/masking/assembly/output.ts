/**
 * Writes what goes out: runs of bytes as they came, masked findings between them, and the lengths of rows and
 * cells as they are then. A row that is given up is taken back and left to TypeScript.
 */
import { hasClass, isAlphanumeric, STRUCTURE } from './bytes';
import { alphanumerics } from './lanes';
import {
  ACTION_DOMAIN,
  ACTION_LABEL,
  ACTION_LAST4,
  ACTIONS,
  CELLS,
  COLUMN_COUNT,
  COLUMNS,
  COUNTS,
  DELIMITER,
  FORM,
  FORM_COPY_TEXT,
  FORM_ROWS,
  KIND_TEXT,
  LABELS,
  OUT,
  OUT_BYTES,
  RAW,
  ROWS,
  SCAN,
  SLOW,
} from './layout';
import { CELL_KIND_SHIFT, CELL_OFFSET, consumed, rows } from './walk';

const STAR: u8 = 0x2a;
const ENTITIES: usize = 7;
const MAX_TAKEN_BACK: usize = 255;
const MAX_TO_PARTNER: usize = 256;

/** Address of the next byte that goes out. */
let out: usize = OUT;
/** Everything before this offset of the chunk has gone out. */
let kept: usize = 0;
export let slow: usize = 0;
/** Positions below this offset belong to a row that is given up. */
export let skipUntil: usize = 0;
export let findings: u32 = 0;

let row: usize = 0;
let cell: usize = 0;
/** Where the row at hand began in the output, once something in it was masked; else 0. */
let rowOut: usize = 0;
/** The same of the cell's length. */
let cellOut: usize = 0;
let lastTo: usize = 0;
/** Of the field at hand in COPY: its number, where it begins, and how far delimiters were counted (0: not yet). */
let field: u32 = 0;
let fieldFrom: usize = 0;
let fieldSeen: usize = 0;
/** Findings of the row at hand, by entity, for taking them back. */
const inRow: usize = memory.data(8);

export function begin(): void {
  out = OUT;
  kept = slow = skipUntil = row = cell = rowOut = cellOut = lastTo = fieldSeen = 0;
  field = 0;
  findings = 0;
  store<u64>(inRow, 0);
  for (let entity: usize = 0; entity < ENTITIES; entity += 1) store<u32>(COUNTS + entity * 4, 0);
}

export function finishOutput(): usize {
  copyRun(consumed);
  return out - OUT;
}

/** Moves on to the row and cell that hold the offset `at`; offsets never go back. */
function moveTo(at: usize): void {
  if (at >= rowEnd()) {
    do row += 1;
    while (at >= rowEnd());
    rowOut = cellOut = fieldSeen = 0;
    field = 0;
    store<u64>(inRow, 0);
  }
  if (load<u32>(FORM) != FORM_ROWS) return;
  while (at >= <usize>(load<u32>(CELLS + cell * 4, 4) & CELL_OFFSET)) {
    cell += 1;
    cellOut = 0;
  }
}

function rowEnd(): usize {
  return <usize>load<u32>(ROWS + row * 4, 4);
}

/** Leaves the whole row that holds `at` to TypeScript. */
export function giveUp(at: usize): void {
  moveTo(at);
  const start = <usize>load<u32>(ROWS + row * 4);
  const end = rowEnd();
  if (rowOut == 0) copyRun(start);
  else {
    out = rowOut;
    for (let entity: usize = 0; entity < ENTITIES; entity += 1) {
      const taken = <u32>load<u8>(inRow + entity);
      store<u32>(COUNTS + entity * 4, load<u32>(COUNTS + entity * 4) - taken);
    }
  }
  const entry = SLOW + slow * 12;
  store<u32>(entry, <u32>start);
  store<u32>(entry, <u32>end, 4);
  store<u32>(entry, <u32>(out - OUT), 8);
  slow += 1;
  kept = skipUntil = lastTo = end;
}

/** Masks bytes [from,to) of the chunk, or gives the row up. @param trigger where it was met, inside of it */
export function mask(entity: u32, trigger: usize, from: usize, to: usize): void {
  moveTo(trigger);
  const entry = ACTIONS + <usize>entity * 16;
  const action = load<u32>(entry);
  const labelLength = <usize>load<u32>(entry, 8);
  if (action == 0 || from < lastTo || !isPlain(from, to)) return giveUp(trigger);
  if (OUT + OUT_BYTES - out < consumed - kept + labelLength + 64) return giveUp(trigger);
  if (rowOut == 0) rowOut = out + (<usize>load<u32>(ROWS + row * 4) - kept);
  const counted = load<u8>(inRow + entity);
  if (counted == MAX_TAKEN_BACK) return giveUp(trigger);
  store<u8>(inRow + entity, counted + 1);
  store<u32>(COUNTS + entity * 4, load<u32>(COUNTS + entity * 4) + 1);
  findings += 1;
  const inRows = load<u32>(FORM) == FORM_ROWS;
  if (inRows && cellOut == 0) cellOut = out + (<usize>(load<u32>(CELLS + cell * 4) & CELL_OFFSET) - 4 - kept);
  copyRun(from);
  const before = out;
  if (action == ACTION_LABEL) writeLabel(LABELS + <usize>load<u32>(entry, 4), labelLength);
  else if (action == ACTION_DOMAIN) writeDomain(RAW + trigger, RAW + to);
  else writeTail(RAW + from, RAW + to, action == ACTION_LAST4);
  kept = lastTo = to;
  const grown = <u32>(out - before - (to - from));
  if (grown == 0) return;
  grow(rowOut + 1, grown);
  if (inRows) grow(cellOut, grown);
}

/** Is it text in which a finding is masked where it stands? */
function isPlain(from: usize, to: usize): bool {
  const form = load<u32>(FORM);
  if (form == FORM_COPY_TEXT) return isPlainField(from, to);
  if (form != FORM_ROWS) return false;
  const entry = load<u32>(CELLS + cell * 4);
  return entry >> CELL_KIND_SHIFT == KIND_TEXT && !hasStructure(RAW + <usize>(entry & CELL_OFFSET), to);
}

/** Counts the fields up to the one that holds `from`; a row is read once, however many findings it has. */
function isPlainField(from: usize, to: usize): bool {
  if (fieldSeen == 0) fieldSeen = fieldFrom = <usize>load<u32>(ROWS + row * 4) + 5;
  const delimiter = i8x16.splat(load<u8>(DELIMITER));
  for (let at = fieldSeen; at < from; at += 16) {
    let bits = <u32>i8x16.bitmask(i8x16.eq(v128.load(RAW + at), delimiter));
    if (from - at < 16) bits &= ((<u32>1) << u32(from - at)) - 1;
    if (bits == 0) continue;
    field += popcnt(bits);
    fieldFrom = at + 32 - <usize>clz(bits);
  }
  fieldSeen = from;
  const columns = load<u32>(COLUMN_COUNT);
  if (columns != 0 && (field >= columns || load<u8>(COLUMNS + <usize>field) != KIND_TEXT)) return false;
  return !hasStructure(RAW + fieldFrom, to);
}

/** May the text that begins at `first` have a structure? A bracket opens one only where its partner ends the text. */
function hasStructure(first: usize, to: usize): bool {
  const byte = load<u8>(first);
  if (!hasClass(byte, STRUCTURE)) return false;
  const partner: u8 = byte == 0x28 ? 0x29 : byte == 0x3c ? 0x3e : 0;
  if (partner == 0) return true;
  let end = SCAN + to;
  // No further than this: many findings of one long text would each read to its end.
  for (const stop = end + MAX_TO_PARTNER; load<u8>(end) != 0; end += 1) if (end == stop) return true;
  return load<u8>(end - 1) == partner;
}

function grow(at: usize, by: u32): void {
  store<u32>(at, bswap<u32>(bswap<u32>(load<u32>(at)) + by));
}

/** Copies what came up to the offset `upTo`. Short runs may write a little beyond their end: it is overwritten. */
function copyRun(upTo: usize): void {
  const length = upTo - kept;
  const source = RAW + kept;
  if (length > 256) memory.copy(out, source, length);
  else for (let at: usize = 0; at < length; at += 16) v128.store(out + at, v128.load(source + at));
  out += length;
  kept = upTo;
}

function writeLabel(label: usize, length: usize): void {
  for (let index: usize = 0; index < length; index += 16) v128.store(out + index, v128.load(label + index));
  out += length;
}

/** @param at the sign before the domain: nothing before it is shown */
function writeDomain(at: usize, to: usize): void {
  store<u32>(out, 0x2a2a2a2a);
  store<u8>(out, STAR, 4);
  out += 5;
  for (let index: usize = 0; index < to - at; index += 16) v128.store(out + index, v128.load(at + index));
  out += to - at;
}

const PLACES = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
const WIDE_ENOUGH: usize = 32;

/** `writeTail` for up to 16 bytes: the same rule with bits for bytes. @returns false where they are not all ASCII */
function writeShortestTail(from: usize, length: usize, always: bool): bool {
  const bytes = v128.load(from);
  const within = ((<u32>1) << (<u32>length)) - 1;
  if (((<u32>i8x16.bitmask(bytes)) & within) != 0) return false;
  const counted = alphanumerics(bytes);
  const until = i8x16.splat(hiddenUntil((<u32>i8x16.bitmask(counted)) & within, always));
  v128.store(out, v128.bitselect(i8x16.splat(STAR), bytes, v128.and(counted, i8x16.lt_u(PLACES, until))));
  out += length;
  return true;
}

/** The place before which letters and digits are hidden. @param bits where they stand */
function hiddenUntil(bits: u32, always: bool): u8 {
  for (let shown = shownOf(<u32>popcnt(bits), always); shown > 0; shown -= 1) bits &= ~(((<u32>1) << 31) >> clz(bits));
  return bits == 0 ? 0 : <u8>(32 - clz(bits));
}

/** The same for up to 32 bytes of ASCII. */
function writeShortTail(from: usize, length: usize, always: bool): void {
  const first = v128.load(from);
  const second = v128.load(from, 16);
  const firstCounted = alphanumerics(first);
  const secondCounted = alphanumerics(second);
  let bits = (<u32>i8x16.bitmask(firstCounted)) | ((<u32>i8x16.bitmask(secondCounted)) << 16);
  if (length < WIDE_ENOUGH) bits &= ((<u32>1) << (<u32>length)) - 1;
  const until = hiddenUntil(bits, always);
  const star = i8x16.splat(STAR);
  const hidden = v128.and(firstCounted, i8x16.lt_u(PLACES, i8x16.splat(until)));
  v128.store(out, v128.bitselect(star, first, hidden));
  if (length > 16) {
    const rest = i8x16.splat(until > 16 ? <u8>(until - 16) : <u8>0);
    const later = v128.and(secondCounted, i8x16.lt_u(PLACES, rest));
    v128.store(out + 16, v128.bitselect(star, second, later));
  }
  out += length;
}

function isAscii(from: usize, to: usize): bool {
  let at = from;
  for (; at + 8 <= to; at += 8) if ((load<u64>(at) & 0x8080808080808080) != 0) return false;
  for (; at < to; at += 1) if (load<u8>(at) >= 0x80) return false;
  return true;
}

/** How many of `count` letters and digits are shown. */
function shownOf(count: u32, always: bool): u32 {
  if (always && count > 8) return 4;
  const third = count / 3;
  return third < 4 ? third : 4;
}

/** `tailOf` of `src/masking/strategies/partial.ts`. */
function writeTail(from: usize, to: usize, always: bool): void {
  const length = to - from;
  if (length <= 16 && writeShortestTail(from, length, always)) return;
  if (length <= WIDE_ENOUGH && isAscii(from, to)) return writeShortTail(from, length, always);
  let count: u32 = 0;
  for (let at = from; at < to; at += 1) if (isCounted(load<u8>(at))) count += 1;
  let hidden = count - shownOf(count, always);
  let last: u8 = STAR;
  for (let at = from; at < to; at += 1) {
    const byte = load<u8>(at);
    if (hidden > 0 && isCounted(byte)) {
      hidden -= 1;
      last = STAR;
    } else if ((byte & 0xc0) != 0x80 || (hidden == 0 && last != STAR)) last = byte;
    else continue;
    store<u8>(out, last);
    out += 1;
  }
}

function isCounted(byte: u8): bool {
  return byte >= 0xc0 || isAlphanumeric(byte);
}
