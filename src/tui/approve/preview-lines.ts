import { displayWidth, escapeControls } from '../../core/display.js';
import { clipLine, type Line, line, padLine, piece, wrapLine } from '../lines.js';
import type { PreviewRows, RequestPreview } from '../../core/approval.js';

/** Cells that a column of a sample gets at most. */
const MAX_COLUMN_CELLS = 24;

/** Where in a request's text its preview begins; -1 where there is none. */
export function previewRow(rows: readonly Line[]): number {
  return rows.findIndex(([first]) => first?.text === SHOWN || first?.text === NOT_SHOWN);
}

const SHOWN = 'preview: ';
const NOT_SHOWN = 'no preview: ';

/** What trying the statement out has shown. */
export function previewLines(
  preview: RequestPreview | 'asking' | { readonly failed: string } | undefined,
  width: number,
): readonly Line[] {
  if (preview === undefined) return [];
  if (preview === 'asking') return [line('preview: the agent tries it out and rolls it back…', 'dim'), []];
  if ('failed' in preview) return [...wrapLine([piece(SHOWN, 'bold'), piece(preview.failed, 'red')], width), []];
  const { rows, before, after, notes, refused } = preview;
  return [
    ...(refused === undefined ? [] : wrapLine([piece(NOT_SHOWN, 'bold'), piece(refused, 'red')], width)),
    ...(rows === undefined
      ? []
      : [[piece(SHOWN, 'bold'), piece(`${String(rows)} ${rows === 1 ? 'row' : 'rows'}, rolled back`, 'yellow')]]),
    ...sample('before', before, width),
    ...sample('after', after, width),
    ...notes.flatMap((note) => wrapLine([piece(`· ${note}`, 'dim')], width, { indent: 2 })),
    [],
  ];
}

function sample(label: string, rows: PreviewRows | undefined, width: number): readonly Line[] {
  if (rows === undefined || rows.columns.length === 0) return [];
  const table = [rows.columns.map(String), ...rows.rows.map((row) => row.map(cellText))];
  const widths = rows.columns.map((_, column) =>
    Math.min(MAX_COLUMN_CELLS, Math.max(...table.map((row) => displayWidth(escapeControls(row[column] ?? ''))))),
  );
  return [
    line(label, 'dim'),
    ...table.map((row, index) =>
      clipLine(
        row.flatMap((cell, column) => [
          ...padLine([piece(cell, index === 0 ? 'bold' : 'plain')], widths[column] ?? 1),
          piece('  '),
        ]),
        width,
      ),
    ),
  ];
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
