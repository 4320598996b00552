import { EMPTY, inside, itemsOf, listAt, namesIn, tagged, textAt } from '../facts/tree.js';
import type { TreeNode } from '../facts/tree.js';
import { comparisonWith } from './compared-values.js';
import { derived, isNothing, type Derivation } from './derivation.js';
import { givenIn } from './given-values.js';
import { rowItems } from './expressions.js';
import { givenBy, type GivenColumn } from './given-columns.js';
import { isGiven, readsSetting } from './given-side.js';
import { functionName, isServersOwn } from './calls.js';
import type { Reading } from './reading.js';
import type { Level } from './scope.js';
import { madeRoutines } from './session-names.js';

/**
 * Goes through a condition and notes what its truth depends on.
 *
 * Not noted: a column, as it stands, that is NULL or not, or that equals a value the caller gave.
 * That shows no more than the caller knew. Two columns that are compared by equality are noted as
 * such. Everything else a condition does with a column is a question about it.
 */
export function judgeCondition(reading: Reading, value: unknown, level: Level, clause: string): void {
  reading.step();
  const { type, node } = tagged(value) ?? { type: '', node: EMPTY };
  switch (type) {
    case 'BoolExpr':
      for (const argument of listAt(node, 'args')) reading.condition(argument, level, clause);
      return;
    case 'BooleanTest':
      reading.condition(node['arg'], level, clause);
      return;
    case 'A_Expr':
      if (judgeComparison(reading, node, level, clause)) return;
      break;
    case 'SubLink':
      if (judgeMembership(reading, node, level, clause)) return;
      break;
    default:
  }
  compared(reading, reading.value(value, level), clause);
}

function compared(reading: Reading, value: ReturnType<Reading['value']>, clause: string): void {
  if (!isNothing(value)) reading.findings.note({ kind: 'compared', clause, value });
}

/** @returns false where it is no comparison by equality, or by its negation, which tells the same */
function judgeComparison(reading: Reading, node: TreeNode, level: Level, clause: string): boolean {
  const operator = namesIn(listAt(node, 'name')).at(-1) ?? '';
  const kind = textAt(node, 'kind');
  if (EQUALITIES[kind]?.includes(operator) !== true || hasOwnEquality(reading)) return false;
  const { lexpr: left, rexpr: right } = node;
  const isAny = kind === 'AEXPR_OP_ANY' || kind === 'AEXPR_OP_ALL';
  if ((isAny || kind === 'AEXPR_IN') && !isGiven(reading, right)) return false;
  judgeEquality(reading, left, right, level, clause, isAny);
  return true;
}

/** By kind of comparison: `x = y`, `x <> y`, `IS [NOT] DISTINCT FROM`, `[NOT] IN (…)`, `= ANY (…)`, `<> ALL (…)`. */
const EQUALITIES: Readonly<Record<string, readonly string[]>> = {
  AEXPR_OP: ['=', '<>'],
  AEXPR_DISTINCT: ['='],
  AEXPR_NOT_DISTINCT: ['='],
  AEXPR_IN: ['=', '<>'],
  AEXPR_OP_ANY: ['='],
  AEXPR_OP_ALL: ['<>'],
};

/** Is there an operator `=` or `<>` of users' own? Then nobody can tell which one a name means. */
export function hasOwnEquality(reading: Reading): boolean {
  return ['=', '<>'].some(
    (name) => reading.catalog.operatorRoutines(name).length > 0 || madeRoutines(reading.names.made?.(name)).length > 0,
  );
}

/** @param isAny the right side is an array whose elements are compared */
function judgeEquality(
  reading: Reading,
  left: unknown,
  right: unknown,
  level: Level,
  clause: string,
  isAny = false,
): void {
  // A list of two rows beside a row of two is no row itself.
  const [ones, others] = [rowItems(left), inside(right, 'List') === undefined ? rowItems(right) : undefined];
  if (ones !== undefined && others !== undefined && ones.length === others.length) {
    ones.forEach((one, index) => {
      judgeEquality(reading, one, others[index], level, clause);
    });
    return;
  }
  // The items of a row beside a given list: each of them equals something the caller gave.
  if (ones !== undefined && isGiven(reading, right)) {
    const parts = partsOfRows(right, ones.length);
    ones.forEach((one, index) => {
      judgeEquality(reading, one, parts?.[index] ?? right, level, clause);
    });
    return;
  }
  const [a, b] = [reading.value(folded(reading, left), level), reading.value(folded(reading, right), level)];
  const [leftGiven, rightGiven] = [isGiven(reading, left), isGiven(reading, right)];
  if ((leftGiven && isNothing(a) && b.plain) || (rightGiven && isNothing(b) && a.plain)) {
    const [side, column] = rightGiven ? [folded(reading, right), a] : [folded(reading, left), b];
    noteGiven(reading, side, column, isAny);
    if (readsSetting(side)) reading.findings.bySetting.push({ kind: 'compared', clause, value: column });
    return;
  }
  if (!isAny && judgeBrought(reading, [left, right], [a, b], level, clause)) return;
  if (a.plain && b.plain && !leftGiven && !rightGiven)
    reading.findings.note({ kind: 'matched', clause, left: a, right: b });
  else compared(reading, derived([a, b]), clause);
}

/** A column beside one of rows that the caller brought. @returns false where neither side is one */
function judgeBrought(
  reading: Reading,
  sides: readonly [unknown, unknown],
  [a, b]: readonly [Derivation, Derivation],
  level: Level,
  clause: string,
): boolean {
  const [left, right] = [
    givenBy(reading, folded(reading, sides[0]), level),
    givenBy(reading, folded(reading, sides[1]), level),
  ];
  if (right !== undefined && a.plain) noteBroughtBy(reading, sides[1], right, a, clause);
  else if (left !== undefined && b.plain) noteBroughtBy(reading, sides[0], left, b, clause);
  else return false;
  return true;
}

/** @param side the brought column's name, or a sub-select of values alone */
function noteBroughtBy(reading: Reading, side: unknown, given: GivenColumn, column: Derivation, clause: string): void {
  noteBrought(reading, given, column, clause);
  const ref = inside(folded(reading, side), 'ColumnRef');
  if (!reading.inBody && !isNothing(column) && (ref !== undefined || givesValuesAlone(side)))
    reading.findings.brought.push({ given, column, ref });
}

/** `(SELECT $1)`, `(SELECT unnest($1))`, `(VALUES …)`. */
function givesValuesAlone(side: unknown): boolean {
  const select = inside(inside(side, 'SubLink')?.['subselect'], 'SelectStmt');
  if (select === undefined || ['fromClause', 'withClause', 'larg'].some((field) => select[field] !== undefined))
    return false;
  return listAt(select, 'targetList').every(
    (target) => inside(inside(target, 'ResTarget')?.['val'], 'ColumnRef') === undefined,
  );
}

/** Values that stand in rows may also be used otherwise: `brought-values.ts` finds out. */
export function noteBrought(reading: Reading, given: GivenColumn, column: Derivation, clause: string): void {
  if (isNothing(column)) return;
  reading.findings.comparisons.push(comparisonWith(given.side, column, given.isArray));
  if (given.isPutIn === true) reading.findings.note({ kind: 'compared', clause, value: column, unlessSettled: true });
  if (readsSetting(given.side)) reading.findings.bySetting.push({ kind: 'compared', clause, value: column });
}

/** Of a list of rows, for each of their items the list of those; undefined where it is no such list. */
function partsOfRows(list: unknown, length: number): readonly unknown[] | undefined {
  if (inside(list, 'List') === undefined) return undefined;
  const rows = itemsOf(list).map((item) => (inside(item, 'RowExpr') === undefined ? undefined : rowItems(item)));
  if (!rows.every((row) => row?.length === length)) return undefined;
  return Array.from({ length }, (_, index) => ({ List: { items: rows.map((row) => row?.[index]) } }));
}

/** In a body places are those of another text. */
function noteGiven(reading: Reading, side: unknown, column: Derivation, isAny: boolean): void {
  if (isNothing(column)) return;
  reading.findings.comparisons.push(comparisonWith(side, column, isAny));
  if (!reading.inBody) reading.findings.given.push(...givenIn(side, column, isAny));
}

/** `lower(x) = lower($1)`: equality but for the case of letters. */
export function folded(reading: Reading, value: unknown): unknown {
  const call = inside(value, 'FuncCall');
  if (call === undefined || !FOLDING.has(functionName(call).name)) return value;
  const args = listAt(call, 'args');
  return args.length === 1 && isServersOwn(reading, call) ? args[0] : value;
}

const FOLDING: ReadonlySet<string> = new Set(['lower', 'upper']);

/** `x IN (SELECT …)` and `EXISTS`. @returns false for other sub-selects */
function judgeMembership(reading: Reading, node: TreeNode, level: Level, clause: string): boolean {
  const type = textAt(node, 'subLinkType');
  if (type === 'EXISTS_SUBLINK') {
    reading.query(node['subselect'], level, level.ctes);
    return true;
  }
  const operator = namesIn(listAt(node, 'operName')).at(-1) ?? '=';
  if (type !== 'ANY_SUBLINK' || operator !== '=' || hasOwnEquality(reading)) return false;
  const output = reading.query(node['subselect'], level, level.ctes);
  const tests = rowItems(node['testexpr']) ?? [node['testexpr']];
  tests.forEach((test, index) => {
    const left = reading.value(test, level);
    const column = output.exact ? output.columns[index] : undefined;
    const right = column?.value;
    if (column?.given !== undefined && left.plain)
      noteBroughtBy(reading, { SubLink: node }, column.given, left, clause);
    else if (right !== undefined && left.plain && right.plain)
      reading.findings.note({ kind: 'matched', clause, left, right });
    else compared(reading, derived([left, ...output.columns.map((column) => column.value)]), clause);
  });
  return true;
}
