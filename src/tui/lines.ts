import { displayWidth, escapeControls } from '../core/display.js';

export type Tone = 'plain' | 'dim' | 'bold' | 'red' | 'green' | 'yellow' | 'cyan' | 'magenta' | 'blue' | 'inverse';

/** Text of one look. Its text may be anybody's: it is escaped where lines are made and again where they are drawn. */
export interface Piece {
  readonly text: string;
  readonly tone?: Tone;
}

/** What stands in one row of the screen. */
export type Line = readonly Piece[];

export function piece(text: string, tone: Tone = 'plain'): Piece {
  return { text: escapeControls(text), tone };
}

/** One line of one piece. */
export function line(text: string, tone: Tone = 'plain'): Line {
  return [piece(text, tone)];
}

export function lineText(pieces: Line): string {
  return pieces.map(({ text }) => text).join('');
}

/**
 * Breaks a line into rows of at most `width` cells, after a space where there is one in the last part of the row.
 * Nothing is left out: a reviewer reads all of it.
 *
 * @param options.indent cells that rows after the first stand in by
 */
export function wrapLine(pieces: Line, width: number, options: { readonly indent?: number } = {}): readonly Line[] {
  const indent = Math.min(options.indent ?? 0, Math.max(0, width - 4));
  const cells = pieces.flatMap(({ text, tone }) => [...escapeControls(text)].map((char) => ({ char, tone })));
  const rows: Line[] = [];
  let at = 0;
  do {
    const room = Math.max(1, rows.length === 0 ? width : width - indent);
    const end = rowEnd(cells, at, room);
    const row = joined(cells.slice(at, end));
    rows.push(rows.length === 0 || indent === 0 ? row : [{ text: ' '.repeat(indent) }, ...row]);
    at = end;
  } while (at < cells.length);
  return rows;
}

interface Cell {
  readonly char: string;
  readonly tone: Tone | undefined;
}

/** One past the last cell that fits; at least one cell goes into each row. */
function rowEnd(cells: readonly Cell[], from: number, width: number): number {
  let used = 0;
  let end = from;
  let afterSpace = -1;
  for (; end < cells.length; end += 1) {
    const { char } = cells[end] as Cell;
    used += displayWidth(char);
    if (used > width) break;
    if (char === ' ') afterSpace = end + 1;
  }
  if (end === cells.length) return end;
  // A break at a space far to the left would waste the row.
  return afterSpace > from + width / 2 ? afterSpace : Math.max(end, from + 1);
}

function joined(cells: readonly Cell[]): Line {
  const pieces: { text: string; tone?: Tone }[] = [];
  for (const { char, tone } of cells) {
    const last = pieces.at(-1);
    if (last !== undefined && last.tone === tone) last.text += char;
    else pieces.push(tone === undefined ? { text: char } : { text: char, tone });
  }
  return pieces;
}

/** Cuts a line to `width` cells; `…` stands for what is left out. */
export function clipLine(pieces: Line, width: number): Line {
  if (displayWidth(pieces.map(({ text }) => escapeControls(text)).join('')) <= width) return pieces;
  const first = cutHard(pieces, Math.max(1, width - 1));
  return [...first, { text: '…' }];
}

function cutHard(pieces: Line, width: number): Line {
  const cells = pieces.flatMap(({ text, tone }) => [...escapeControls(text)].map((char) => ({ char, tone })));
  let used = 0;
  const end = cells.findIndex(({ char }) => (used += displayWidth(char)) > width);
  return joined(end === -1 ? cells : cells.slice(0, end));
}

/** A line filled up with spaces to `width` cells, cut where it is longer. */
export function padLine(pieces: Line, width: number): Line {
  const clipped = clipLine(pieces, width);
  const missing = width - displayWidth(lineText(clipped));
  return missing > 0 ? [...clipped, { text: ' '.repeat(missing) }] : clipped;
}

/** The lines with every place that holds `needle` (ignoring case) turned around, and the rows where there is one. */
export function markFound(
  rows: readonly Line[],
  needle: string,
): { readonly rows: readonly Line[]; readonly found: readonly number[] } {
  if (needle === '') return { rows, found: [] };
  const wanted = needle.toLowerCase();
  const found: number[] = [];
  const marked = rows.map((row, index) => {
    const text = lineText(row);
    const lower = text.toLowerCase();
    // Lower case of some letters is longer: positions would be of another text.
    if (lower.length !== text.length || !lower.includes(wanted)) return row;
    found.push(index);
    return markRow(row, lower, wanted);
  });
  return { rows: marked, found };
}

function markRow(row: Line, lower: string, wanted: string): Line {
  const inside = new Set<number>();
  for (let at = lower.indexOf(wanted); at !== -1; at = lower.indexOf(wanted, at + wanted.length)) {
    for (let index = at; index < at + wanted.length; index += 1) inside.add(index);
  }
  let at = 0;
  const pieces: Piece[] = [];
  for (const { text, tone = 'plain' } of row) {
    for (const char of text) {
      const own: Tone = inside.has(at) ? 'inverse' : tone;
      const last = pieces.at(-1);
      if (last?.tone === own) pieces[pieces.length - 1] = { text: last.text + char, tone: own };
      else pieces.push({ text: char, tone: own });
      at += char.length;
    }
  }
  return pieces;
}
