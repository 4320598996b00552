import { EMPTY, inside, listAt, nodeAt, textAt } from '../facts/tree.js';
import type { TreeNode } from '../facts/tree.js';
import { folded } from './conditions.js';
import { withClause } from './ctes.js';
import type { Ctes } from './scope.js';
import { ANYTHING, derived, isNothing, type Derivation } from './derivation.js';
import { fromItems, tableItem } from './from-items.js';
import { judgeGuesses, noteWritten } from './guesses.js';
import { targetList } from './queries.js';
import type { Reading } from './reading.js';
import { relationsCalled } from './relations.js';
import { levelOf, type GivenColumn, type Item, type Level, type Output, type OutputColumn } from './scope.js';

/** What INSERT, UPDATE, DELETE or MERGE gives by RETURNING; no columns without. */
export function readChange(
  reading: Reading,
  type: string,
  node: TreeNode,
  outer: Level | undefined,
  around: Ctes | undefined,
): Output {
  const ctes = withClause(reading, nodeAt(node, 'withClause'), outer, around);
  const relation = nodeAt(node, 'relation') ?? EMPTY;
  // A WITH query's name never stands for a target.
  const target = tableItem(reading, relation, undefined);
  const hidden = routinesBehind(reading, relation);
  const change: Change = { reading, node, target, outer, ctes };
  const output = CHANGES[type]?.(change) ?? { columns: [], exact: true };
  // A rule may give other rows than RETURNING says.
  return hidden && output.columns.length > 0 ? { columns: [{ name: '', value: ANYTHING }], exact: false } : output;
}

interface Change {
  readonly reading: Reading;
  readonly node: TreeNode;
  readonly target: Item;
  readonly outer: Level | undefined;
  readonly ctes: Ctes | undefined;
}

const CHANGES: Readonly<Record<string, (change: Change) => Output>> = {
  InsertStmt: insert,
  UpdateStmt: update,
  DeleteStmt: remove,
  MergeStmt: merge,
};

/** Triggers run with the statement; @returns whether rules rewrite it */
function routinesBehind(reading: Reading, relation: TreeNode): boolean {
  let rewritten = false;
  for (const one of relationsCalled(reading, relation)) {
    rewritten ||= one.rules.length > 0;
    for (const trigger of one.triggers) {
      const routine = reading.catalog.routine(trigger.routine);
      if (routine !== undefined) reading.routine(routine);
    }
  }
  if (rewritten) reading.findings.touchesAnything = true;
  return rewritten;
}

function insert(change: Change): Output {
  const { reading, node, target, outer, ctes } = change;
  const select = node['selectStmt'];
  const brought = new Map<string, GivenColumn>();
  if (select !== undefined) {
    const given = reading.query(select, outer, ctes);
    const names = listAt(node, 'cols').map((item) => textAt(inside(item, 'ResTarget') ?? EMPTY, 'name'));
    given.columns.forEach(({ value, given: values }, index) => {
      const name = names.length > 0 ? names[index] : target.columns[index]?.name;
      moved(change, 'INSERT', value, given.exact ? name : undefined);
      if (given.exact && name !== undefined && values !== undefined) brought.set(name, values);
    });
  }
  const conflict = nodeAt(node, 'onConflictClause');
  noteWritten(reading, target, listAt(node, 'cols'));
  if (conflict !== undefined) {
    judgeGuesses(reading, target, node, brought);
    onConflict(change, conflict, brought);
  }
  return returning(change, []);
}

/** @param brought by the column's name, what the caller would put in it */
function onConflict(change: Change, conflict: TreeNode, brought: ReadonlyMap<string, GivenColumn>): void {
  const { reading, target, outer, ctes } = change;
  const asBrought = !mayBeOthers(change);
  const columns = target.columns.map((column): OutputColumn => {
    const given = asBrought ? brought.get(column.name) : undefined;
    return given === undefined ? column : { ...column, given: { ...given, isPutIn: true } };
  });
  const excluded: Item = {
    sources: [{ name: 'excluded', columns, open: target.open }],
    columns: [],
    open: undefined,
  };
  const level = levelOf([target, excluded], outer, ctes);
  const infer = nodeAt(conflict, 'infer');
  for (const item of infer === undefined ? [] : listAt(infer, 'indexElems')) {
    const expression = inside(item, 'IndexElem')?.['expr'];
    if (expression !== undefined)
      reading.findings.note({ kind: 'compared', clause: 'ON CONFLICT', value: reading.value(expression, level) });
  }
  if (infer?.['whereClause'] !== undefined) reading.condition(infer['whereClause'], level, 'ON CONFLICT');
  assigned(change, listAt(conflict, 'targetList'), level, 'ON CONFLICT');
  if (conflict['whereClause'] !== undefined) reading.condition(conflict['whereClause'], level, 'WHERE');
}

/** May a trigger have put other values into the rows than were brought? */
function mayBeOthers({ reading, node }: Change): boolean {
  const targets = relationsCalled(reading, nodeAt(node, 'relation') ?? EMPTY);
  return targets.some(({ triggers }) => triggers.some(({ events }) => events.includes('insert')));
}

function update(change: Change): Output {
  const { reading, node, target, outer, ctes } = change;
  const from = fromItems(reading, listAt(node, 'fromClause'), outer, ctes);
  const level = levelOf([target, ...from], outer, ctes);
  assigned(change, listAt(node, 'targetList'), level, 'UPDATE');
  if (node['whereClause'] !== undefined) reading.condition(node['whereClause'], level, 'WHERE');
  return returning(change, from);
}

function remove(change: Change): Output {
  const { reading, node, target, outer, ctes } = change;
  const using = fromItems(reading, listAt(node, 'usingClause'), outer, ctes);
  const level = levelOf([target, ...using], outer, ctes);
  if (node['whereClause'] !== undefined) reading.condition(node['whereClause'], level, 'WHERE');
  return returning(change, using);
}

function merge(change: Change): Output {
  const { reading, node, target, outer, ctes } = change;
  const source = fromItems(reading, [node['sourceRelation']], outer, ctes);
  const level = levelOf([target, ...source], outer, ctes);
  if (node['joinCondition'] !== undefined) reading.condition(node['joinCondition'], level, 'MERGE ON');
  for (const item of listAt(node, 'mergeWhenClauses')) {
    const clause = inside(item, 'MergeWhenClause') ?? EMPTY;
    if (clause['condition'] !== undefined) reading.condition(clause['condition'], level, 'MERGE WHEN');
    const targets = listAt(clause, 'targetList');
    const values = listAt(clause, 'values');
    if (values.length === 0) assigned(change, targets, level, 'MERGE');
    else noteWritten(reading, target, targets);
    values.forEach((value, index) => {
      const named = textAt(inside(targets[index], 'ResTarget') ?? EMPTY, 'name');
      const name = targets.length > 0 ? named : target.columns[index]?.name;
      moved(change, 'MERGE', reading.value(value, level), name);
    });
  }
  // `*` gives the source's columns before the target's.
  return returning(change, source, true);
}

/** `SET a = …, (b, c) = …`. */
function assigned(change: Change, list: readonly unknown[], level: Level, clause: string): void {
  if (list.length > 0) noteWritten(change.reading, change.target, list);
  for (const item of list) {
    const target = inside(item, 'ResTarget') ?? EMPTY;
    for (const subscript of listAt(target, 'indirection'))
      change.reading.findings.note({ kind: 'compared', clause, value: change.reading.value(subscript, level) });
    moved(change, clause, assignedValue(change.reading, target['val'], level), textAt(target, 'name'));
  }
}

/** One part of a row that is assigned to several columns at once. */
function assignedValue(reading: Reading, value: unknown, level: Level): Derivation {
  const part = inside(value, 'MultiAssignRef');
  // Of letters in another case nothing is lost.
  if (part === undefined) return reading.value(folded(reading, value), level);
  const index = typeof part['colno'] === 'number' ? part['colno'] - 1 : 0;
  const row = inside(part['source'], 'RowExpr');
  if (row !== undefined) return reading.value(listAt(row, 'args')[index], level);
  const select = inside(part['source'], 'SubLink');
  if (select === undefined) return reading.value(part['source'], level);
  const output = reading.query(select['subselect'], level, level.ctes);
  const column = output.exact ? output.columns[index] : undefined;
  return column?.value ?? derived(output.columns.map(({ value: any }) => any));
}

function moved(change: Change, clause: string, value: Derivation, name: string | undefined): void {
  const { reading, target } = change;
  if (isNothing(value)) return;
  const to = target.columns.find((column) => column.name === name)?.value;
  reading.findings.note({ kind: 'moved', clause, value, to: keepsWhatIsWritten(change) ? undefined : to });
}

/** Does a check, an index or a policy of the target call what may bring the rows elsewhere? */
function keepsWhatIsWritten({ reading, node }: Change): boolean {
  return relationsCalled(reading, nodeAt(node, 'relation') ?? EMPTY).some(({ writeRoutines }) =>
    writeRoutines.some((oid) => {
      const routine = reading.catalog.routine(oid);
      return routine === undefined || (!routine.extension && reading.routine(routine).hasEffects);
    }),
  );
}

function returning(
  { reading, node, target, outer, ctes }: Change,
  others: readonly Item[],
  othersFirst = false,
): Output {
  const clause = nodeAt(node, 'returningClause');
  if (clause === undefined) return { columns: [], exact: true };
  const names = new Set(['old', 'new']);
  for (const item of listAt(clause, 'options')) names.add(textAt(inside(item, 'ReturningOption') ?? EMPTY, 'value'));
  const images: Item = {
    sources: [...names].map((name) => ({ name, columns: target.columns, open: target.open })),
    columns: [],
    open: undefined,
  };
  const items = othersFirst ? [...others, target] : [target, ...others];
  return targetList(reading, listAt(clause, 'exprs'), levelOf([...items, images], outer, ctes));
}

/** The relation that a COPY, an index or a table's change names, as the only thing in sight. */
export function relationLevel(reading: Reading, node: TreeNode): Level {
  return levelOf([tableItem(reading, node, undefined)], undefined, undefined);
}

/** Columns by name, or all. */
export function namedColumns(level: Level, names: readonly string[]): Output {
  if (names.length === 0) return { columns: level.columns, exact: level.open === undefined };
  const columns = names.flatMap((name) => level.columns.find((column) => column.name === name) ?? []);
  return { columns, exact: level.open === undefined && columns.length === names.length };
}

export function isChange(type: string): boolean {
  return type in CHANGES;
}
