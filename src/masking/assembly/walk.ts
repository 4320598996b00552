/**
 * Finds the whole messages of a chunk and makes of them text between NULs: lengths, and cells that are not read,
 * become NUL in the copy that is scanned. Nothing that is found in it can then reach from one cell into another.
 */
import { CELLS, COLUMNS, DELIMITER, FORM, FORM_COPY_TEXT, KIND_PASS, RAW, ROWS, SCAN } from './layout';

export let rows: usize = 0;
/** Offset behind the last whole, well-formed message. */
export let consumed: usize = 0;

export const CELL_KIND_SHIFT: u32 = 28;
export const CELL_OFFSET: u32 = 0x0fffffff;

function bigEndian32(at: usize): u32 {
  return bswap<u32>(load<u32>(at));
}

/**
 *     DataRow: 'D' length u32, count u16, then for each column length i32 (-1 NULL) and bytes
 */
export function walkRows(length: usize, columns: u32): void {
  let at: usize = 0;
  let cells: usize = CELLS;
  rows = 0;
  while (at + 7 <= length && load<u8>(RAW + at) == 0x44) {
    const size = <usize>bigEndian32(RAW + at + 1);
    if (size < 6 || size >= length - at || <u32>bswap<u16>(load<u16>(RAW + at + 5)) != columns) break;
    const end = at + size + 1;
    const next = walkCells(at + 7, end, columns, cells);
    if (next == 0) break;
    store<u32>(SCAN + at, 0);
    store<u32>(SCAN + at + 3, 0);
    store<u32>(ROWS + rows * 4, <u32>at);
    rows += 1;
    cells = next;
    at = end;
  }
  store<u32>(cells, CELL_OFFSET);
  finish(at);
}

/** @returns where the next cell goes in `CELLS`; 0 where the row is malformed */
function walkCells(from: usize, end: usize, columns: u32, cells: usize): usize {
  let at = from;
  for (let column: usize = 0; column < <usize>columns; column += 1) {
    if (at + 4 > end) return 0;
    const length = <i32>bigEndian32(RAW + at);
    store<u32>(SCAN + at, 0);
    at += 4;
    if (length <= 0) {
      if (length < -1) return 0;
      continue;
    }
    if (<usize>length > end - at) return 0;
    const kind = <u32>load<u8>(COLUMNS + column);
    if (kind == KIND_PASS) clear(SCAN + at, <usize>length);
    else {
      store<u32>(cells, (<u32>at) | (kind << CELL_KIND_SHIFT));
      cells += 4;
    }
    at += <usize>length;
  }
  return at == end ? cells : 0;
}

/**
 *     CopyData: 'd' length u32, bytes: one row
 */
export function walkCopy(length: usize): void {
  let at: usize = 0;
  rows = 0;
  while (at + 5 <= length && load<u8>(RAW + at) == 0x64) {
    const size = <usize>bigEndian32(RAW + at + 1);
    if (size < 4 || size >= length - at || !isWholeRow(at + 5, at + size + 1)) break;
    store<u32>(SCAN + at, 0);
    store<u8>(SCAN + at + 4, 0);
    store<u32>(ROWS + rows * 4, <u32>at);
    rows += 1;
    at += size + 1;
    clearLineEnd(SCAN + at - 1, size - 4);
  }
  if (load<u32>(FORM) == FORM_COPY_TEXT) clearDelimiters(at);
  finish(at);
}

/** In text form every delimiter that is not escaped ends a field; rows with escapes are given up anyway. */
function clearDelimiters(length: usize): void {
  const delimiter = load<u8>(DELIMITER);
  const all = i8x16.splat(delimiter);
  for (let at = SCAN; at < SCAN + length; at += 16) {
    const bytes = v128.load(at);
    v128.store(at, v128.andnot(bytes, i8x16.eq(bytes, all)));
  }
}

/** Does a line end here, and no escape or open quote before it go on behind it? */
function isWholeRow(from: usize, end: usize): bool {
  if (from == end || load<u8>(RAW + end - 1) != 0x0a) return false;
  if (load<u32>(FORM) == FORM_COPY_TEXT) return from + 1 == end || load<u8>(RAW + end - 2) != 0x5c;
  const quote = i8x16.splat(0x22);
  let quotes: i32 = 0;
  let at = from;
  for (; at + 16 <= end; at += 16) quotes += popcnt(i8x16.bitmask(i8x16.eq(v128.load(RAW + at), quote)));
  for (; at < end; at += 1) if (load<u8>(RAW + at) == 0x22) quotes += 1;
  return (quotes & 1) == 0;
}

/** The end of the row's line is no part of its last field. */
function clearLineEnd(last: usize, length: usize): void {
  if (length == 0 || load<u8>(last) != 0x0a) return;
  store<u8>(last, 0);
  if (length > 1 && load<u8>(last - 1) == 0x0d) store<u8>(last - 1, 0);
}

function finish(at: usize): void {
  store<u32>(ROWS + rows * 4, <u32>at);
  consumed = at;
  memory.fill(SCAN + at, 0, 128);
}

function clear(at: usize, length: usize): void {
  if (length > 256) {
    memory.fill(at, 0, length);
    return;
  }
  const end = at + length;
  for (; at + 8 <= end; at += 8) store<u64>(at, 0);
  for (; at < end; at += 1) store<u8>(at, 0);
}
