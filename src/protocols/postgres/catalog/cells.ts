/** Reads cells of the catalogue's rows. A server that sends something else is not believed about the rest either. */
export type Row = readonly (string | null)[];

/** Thrown by these readers, caught by `createCatalog`: rows that are not of the form asked for. */
export class UnexpectedRow extends Error {}

export function textCell(row: Row, index: number): string {
  const cell = row[index];
  if (typeof cell !== 'string') throw new UnexpectedRow();
  return cell;
}

/** A whole number that JavaScript can hold. */
export function numberCell(row: Row, index: number): number {
  const cell = textCell(row, index);
  const number = Number(cell);
  if (!/^-?\d{1,19}$/.test(cell)) throw new UnexpectedRow();
  return number;
}

export function flagCell(row: Row, index: number): boolean {
  return numberCell(row, index) !== 0;
}

/** A list in JSON; empty where the cell is NULL. */
export function listCell(cell: string | null | undefined): readonly unknown[] {
  if (cell === null) return [];
  if (cell === undefined) throw new UnexpectedRow();
  let value: unknown;
  try {
    value = JSON.parse(cell);
  } catch {
    throw new UnexpectedRow();
  }
  if (!Array.isArray(value)) throw new UnexpectedRow();
  return value;
}

/** A list of texts in JSON, empty where the cell is NULL. */
export function textsCell(row: Row, index: number): readonly string[] {
  return listCell(row[index]).map((item) => {
    if (typeof item !== 'string') throw new UnexpectedRow();
    return item;
  });
}

export function numbersCell(row: Row, index: number): readonly number[] {
  return listCell(row[index]).map((item) => {
    if (typeof item !== 'number') throw new UnexpectedRow();
    return item;
  });
}
