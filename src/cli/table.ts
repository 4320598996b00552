import { displayWidth, escapeControls } from '../core/display.js';
import type { Colours } from './colours.js';

/** One column of a list: its heading and how an item's cell reads. Cells are escaped by the table. */
export interface Column<T> {
  readonly header: string;
  readonly value: (item: T) => string;
}

const GAP = '  ';
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
