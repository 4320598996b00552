import { displayWidth } from '../../core/display.js';
import type { ChainedEvent } from '../../core/events.js';
import { list, number } from './event-fields.js';

/**
 * The rows of an `output` event as a table, aligned by what a terminal shows.
 *
 * @param limits.rows most rows, `limits.cell` most characters of a cell; what is left out is counted
 */
export function rowLines(
  event: ChainedEvent,
  limits: { readonly rows: number; readonly cell: number },
): readonly string[] {
  const cellOf = (value: string): string =>
    value.length <= limits.cell ? value : `${value.slice(0, limits.cell - 1)}…`;
  const rows = Array.isArray(event['rows']) ? (event['rows'] as readonly unknown[]) : [];
  const total = number(event['totalRows']) ?? rows.length;
  const shown = rows.slice(0, limits.rows).map((row) => list(row, 'NULL').map(cellOf));
  const table = [list(event['columns']).map(cellOf), ...shown].filter((row) => row.length > 0);
  const widths: number[] = [];
  for (const row of table) row.forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? 0, displayWidth(cell))));
  const lines = table.map((row) =>
    row
      .map((cell, at) => cell + ' '.repeat((widths[at] ?? 0) - displayWidth(cell)))
      .join(' │ ')
      .trimEnd(),
  );
  return total > shown.length ? [...lines, `… ${total - shown.length} more of ${total} rows`] : lines;
}
