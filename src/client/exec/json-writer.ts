import { toJsonLine } from '../../core/display.js';
import { HoopError } from '../../core/errors.js';
import { toJsonValue, uniqueNames, type Column, type Print, type ResultWriter, type Row } from './result-writer.js';

/** Shared by both JSON formats: one row as one line of JSON. */
abstract class ObjectWriter implements ResultWriter {
  #columns: readonly Column[] = [];
  #names: readonly string[] = [];

  constructor(protected readonly print: Print) {}

  begin(columns: readonly Column[]): void {
    this.#columns = columns;
    this.#names = uniqueNames(columns);
  }

  abstract row(values: Row): void;
  abstract end(): void;
  abstract finish(): void;

  copyData(): never {
    throw new HoopError('usage', 'the answer of COPY has no JSON form', {
      suggestion: 'use -o csv or -o table, or SELECT the rows',
    });
  }

  protected object(values: Row): string {
    const fields = values.map((value, index) => {
      const column = this.#columns[index] ?? { name: '', typeOid: 0 };
      return `${toJsonLine(this.#names[index] ?? String(index + 1))}:${toJsonLine(toJsonValue(value, column))}`;
    });
    return `{${fields.join(',')}}`;
  }
}

/** One array of objects per result set, each array on a line of its own. */
export class JsonWriter extends ObjectWriter {
  #rows = 0;
  #open = false;

  override begin(columns: readonly Column[]): void {
    super.begin(columns);
    this.#rows = 0;
    this.#open = true;
    this.print('[');
  }

  override row(values: Row): void {
    this.print(`${this.#rows === 0 ? '' : ','}${this.object(values)}`);
    this.#rows += 1;
  }

  override end(): void {
    this.print(']\n');
    this.#open = false;
  }

  override finish(): void {
    if (this.#open) this.end();
  }
}

/** One object a line; rows of all result sets one after the other. */
export class NdjsonWriter extends ObjectWriter {
  override row(values: Row): void {
    this.print(`${this.object(values)}\n`);
  }

  override end(): void {
    // A row is complete when it is printed.
  }

  override finish(): void {
    // The same.
  }
}
