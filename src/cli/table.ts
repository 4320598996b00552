import { displayWidth, escapeControls } from '../core/display.js';
import { clipLine, lineText } from '../tui/lines.js';
import type { Colours } from './colours.js';

/** One column of a list: its heading and how an item's cell reads. Cells are escaped by the table. */
export interface Column<T> {
  readonly header: string;
  readonly value: (item: T) => string;
  /** Where the terminal is narrow, cells may be cut down to this width; left out: never. */
  readonly least?: number;
  /** Where cutting is not enough, the column with the lowest number is left out first; left out: never. */
  readonly spare?: number;
}

export interface Table {
  readonly text: string;
  /** Headings of the columns that had no room. */
  readonly leftOut: readonly string[];
}

const GAP = '  ';

interface LaidOut {
  readonly header: string;
  readonly cells: readonly string[];
  readonly least: number;
  readonly spare: number;
  width: number;
}

/**
 * Aligned columns under their headings, one line an item, no line ending at the end. Only headings have a colour.
 *
 * @param options.width cells of the terminal; left out where it is none: then nothing is cut, for `grep`
 */
export function renderTable<T>(
  items: readonly T[],
  columns: readonly Column<T>[],
  colours: Colours,
  options: { readonly width?: number } = {},
): Table {
  const natural = columns.map((column): LaidOut => {
    const cells = items.map((item) => escapeControls(column.value(item)));
    const header = column.header.toUpperCase();
    const width = [header, ...cells].reduce((most, cell) => Math.max(most, displayWidth(cell)), 0);
    return { header, cells, width, least: column.least ?? width, spare: column.spare ?? 0 };
  });
  const shown = options.width === undefined ? natural : fitted(natural, options.width);
  const leftOut = natural.filter((column) => !shown.includes(column)).map(({ header }) => header.toLowerCase());
  const line = (cellOf: (column: LaidOut) => string, paint: (text: string) => string): string =>
    shown
      .map((column, index) => {
        const cell = clipped(cellOf(column), column.width);
        const padding = index === shown.length - 1 ? 0 : column.width - displayWidth(cell);
        return paint(cell) + ' '.repeat(padding);
      })
      .join(GAP)
      .trimEnd();
  const heading = line(
    ({ header }) => header,
    (text) => colours.bold(text),
  );
  const lines = [
    heading,
    ...items.map((_, row) =>
      line(
        ({ cells }) => cells[row] as string,
        (text) => text,
      ),
    ),
  ];
  return { text: lines.join('\n'), leftOut };
}

/** Leaves out columns until the least widths fit, then takes from the widest until all fits. */
function fitted(columns: readonly LaidOut[], room: number): readonly LaidOut[] {
  const leastOf = ({ least, width }: LaidOut): number => Math.min(least, width);
  const total = (shown: readonly LaidOut[], of: (column: LaidOut) => number): number =>
    shown.reduce((sum, column) => sum + of(column) + GAP.length, -GAP.length);
  let shown = columns;
  while (total(shown, leastOf) > room) {
    const spares = shown.filter(({ spare }) => spare > 0).sort((one, other) => one.spare - other.spare);
    const [first] = spares;
    if (first === undefined) break;
    shown = shown.filter((column) => column !== first);
  }
  for (const column of shown) column.width = Math.max(leastOf(column), Math.min(column.width, room));
  for (let excess = total(shown, ({ width }) => width) - room; excess > 0; excess -= 1) {
    const widest = shown
      .filter((column) => column.width > leastOf(column))
      .reduce<LaidOut | undefined>(
        (most, column) => (most === undefined || column.width > most.width ? column : most),
        undefined,
      );
    if (widest === undefined) break;
    widest.width -= 1;
  }
  return shown;
}

function clipped(cell: string, width: number): string {
  return displayWidth(cell) <= width ? cell : lineText(clipLine([{ text: cell }], width));
}
