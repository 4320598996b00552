import type { Column, Print, ResultWriter, Row } from './result-writer.js';

/**
 * Comma-separated values with a heading, quoted as RFC 4180 says, lines ended by LF as psql does.
 * NULL is an empty field, the empty text `""`, as COPY writes them. A blank line parts result sets.
 *
 * @see https://www.rfc-editor.org/rfc/rfc4180#section-2
 */
export class CsvWriter implements ResultWriter {
  #printed = false;

  constructor(private readonly print: Print) {}

  begin(columns: readonly Column[]): void {
    if (this.#printed) this.print('\n');
    this.#printed = true;
    this.row(columns.map((column) => column.name));
  }

  row(values: Row): void {
    this.print(`${values.map(field).join(',')}\n`);
  }

  end(): void {
    // A row is complete when it is printed.
  }

  finish(): void {
    // The same.
  }

  copyData(bytes: Uint8Array): void {
    this.print(bytes);
  }
}

function field(value: string | null): string {
  if (value === null) return '';
  // A leading or trailing space is quoted too: some readers drop it otherwise.
  return value === '' || /[",\r\n]|^\s|\s$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
