import type { ResultColumn } from '../results/columns.js';
import { ANYTHING, either, type Derivation } from './derivation.js';
import type { StatementReading } from './reading.js';
import type { Output } from './scope.js';
import type { Held } from './session-memory.js';

/**
 * What is behind each column of a result.
 *
 * @param nth which of the statements gives it, from 0; undefined where any may
 */
export function resultValues(
  statements: readonly StatementReading[],
  held: Held,
  nth: number | undefined,
  columns: readonly ResultColumn[],
): readonly Derivation[] {
  const own = nth === undefined ? statements : statements.slice(nth, nth + 1);
  const outputs = own.flatMap((statement) => outputsOf(statement, held, nth === undefined) ?? []);
  if (outputs.length === 0) return columns.map(() => ANYTHING);
  const values = outputs.map((output) => valuesIn(output, columns));
  return columns.map((_, index) => either(values.map((list) => list[index] ?? ANYTHING)));
}

/**
 * What a statement's rows are; undefined where it gives none.
 *
 * @param isBound it may be bound by name: then the rows are those of what a PREPARE holds
 */
export function outputsOf(statement: StatementReading, held: Held, isBound: boolean): readonly Output[] | undefined {
  const { runs, holds } = statement;
  const output = statement.output ?? (isBound && holds?.kind === 'prepared' ? holds.output : undefined);
  if (runs === undefined) return output === undefined ? undefined : [output];
  return held(runs.kind, runs.name) ?? [statement.output ?? { columns: [], exact: false }];
}

/** What each column of a result comes from: by its place, or where places are not known by its name. */
function valuesIn(output: Output, columns: readonly ResultColumn[]): readonly Derivation[] {
  if (output.exact)
    return output.columns.length === columns.length
      ? output.columns.map(({ value }) => value)
      : columns.map(() => ANYTHING);
  if (output.columns.length === 0) return columns.map(() => ANYTHING);
  return columns.map(({ name }) => {
    const named = output.columns.some((column) => column.name === name && column.guessed !== true);
    const possible = named
      ? output.columns.filter((column) => column.name === name || column.name === '' || column.guessed === true)
      : output.columns;
    return either(possible.map(({ value }) => value));
  });
}
