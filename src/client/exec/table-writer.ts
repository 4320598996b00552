import { displayWidth, escapeControls } from '../../core/display.js';
import { isNumeric, type Column, type Print, type ResultWriter, type Row } from './result-writer.js';

/** Widths are taken from so many rows, or so many characters, whichever comes first; then memory stays flat. */
const MEASURED_ROWS = 1_000;
const MEASURED_CHARACTERS = 1 << 20;

/**
 * psql's aligned format: centred headings, numbers to the right, `(N rows)`. NULL is empty, as in
 * psql; the other formats tell it from the empty text. What could act on a terminal is escaped.
 */
export class TableWriter implements ResultWriter {
  #columns: readonly Column[] = [];
  #held: string[][] = [];
  #heldCharacters = 0;
  #widths: readonly number[] | undefined;
  #count = 0;
  #open = false;

  constructor(private readonly print: Print) {}

  begin(columns: readonly Column[]): void {
    this.#columns = columns;
    this.#held = [];
    this.#heldCharacters = 0;
    this.#widths = undefined;
    this.#count = 0;
    this.#open = true;
  }

  row(values: Row): void {
    this.#count += 1;
    const cells = values.map((value) => escapeControls(value ?? ''));
    if (this.#widths !== undefined) {
      this.#printRow(cells, this.#widths);
      return;
    }
    this.#held.push(cells);
    this.#heldCharacters += cells.reduce((sum, cell) => sum + cell.length, 0);
    if (this.#held.length >= MEASURED_ROWS || this.#heldCharacters >= MEASURED_CHARACTERS) this.#printHeld();
  }

  end(): void {
    this.#printHeld();
    this.print(`(${String(this.#count)} ${this.#count === 1 ? 'row' : 'rows'})\n\n`);
    this.#open = false;
  }

  finish(): void {
    // Rows that came before an error are still the server's answer.
    if (this.#open && this.#count > 0) this.#printHeld();
    this.#open = false;
  }

  copyData(bytes: Uint8Array): void {
    this.print(bytes);
  }

  #printHeld(): void {
    if (this.#widths !== undefined) return;
    const names = this.#columns.map((column) => escapeControls(column.name));
    const widths = names.map((name, index) =>
      this.#held.reduce((widest, cells) => Math.max(widest, displayWidth(cells[index] ?? '')), displayWidth(name)),
    );
    this.#widths = widths;
    if (names.length === 0) this.print('--\n');
    else {
      this.print(`${names.map((name, index) => ` ${centred(name, widths[index] ?? 0)} `).join('|')}\n`);
      this.print(`${widths.map((width) => '-'.repeat(width + 2)).join('+')}\n`);
    }
    for (const cells of this.#held) this.#printRow(cells, widths);
    this.#held = [];
  }

  #printRow(cells: readonly string[], widths: readonly number[]): void {
    if (cells.length === 0) return;
    const last = cells.length - 1;
    const padded = cells.map((cell, index) => {
      const padding = ' '.repeat(Math.max(0, (widths[index] ?? 0) - displayWidth(cell)));
      const column = this.#columns[index];
      if (column !== undefined && isNumeric(column)) return ` ${padding}${cell}`;
      return ` ${cell}${index === last ? '' : padding}`;
    });
    this.print(`${padded.join(' |')}\n`);
  }
}

function centred(text: string, width: number): string {
  const space = Math.max(0, width - displayWidth(text));
  const left = Math.floor(space / 2);
  return `${' '.repeat(left)}${text}${' '.repeat(space - left)}`;
}
