import { escapeControls } from '../core/display.js';
import type { Colours } from './colours.js';

/** One column of a list: its heading and how an item's cell reads. Cells are escaped by the table. */
export interface Column<T> {
  readonly header: string;
  readonly value: (item: T) => string;
}

const GAP = '  ';
const ZERO_WIDTH = /^[\p{Mn}\p{Me}]$/u;
const TWO_WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]$/u;

/** Terminal cells that `text` takes: East Asian wide characters and emoji two, combining marks none. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const char of text) width += ZERO_WIDTH.test(char) ? 0 : TWO_WIDE.test(char) ? 2 : 1;
  return width;
}

/**
 * Aligned columns under their headings, one line an item, nothing cut, no line ending at the end.
 * The same columns for people and for `grep`; only the colour of the headings differs.
 */
export function renderTable<T>(items: readonly T[], columns: readonly Column<T>[], colours: Colours): string {
  const rows = items.map((item) => columns.map((column) => escapeControls(column.value(item))));
  const widths = columns.map((column, index) =>
    Math.max(displayWidth(column.header), ...rows.map((row) => displayWidth(row[index] as string))),
  );
  const line = (cells: readonly string[], paint: (text: string) => string): string =>
    cells
      .map((cell, index) => {
        const padding = index === cells.length - 1 ? 0 : (widths[index] as number) - displayWidth(cell);
        return paint(cell) + ' '.repeat(padding);
      })
      .join(GAP);
  const heading = line(
    columns.map((column) => column.header.toUpperCase()),
    (text) => colours.bold(text),
  );
  return [heading, ...rows.map((row) => line(row, (text) => text))].join('\n');
}
