import { EMPTY, inside, isNode, itemsOf, listAt, literalIn, nodeAt, objectName, textAt } from '../facts/tree.js';
import type { TreeNode } from '../facts/tree.js';

/** What a statement writes over a column of rows that stand already. */
export interface WrittenValue {
  /** Empty where the statement names none. */
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  readonly value:
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'null' }
    /** `$number` */
    | { readonly kind: 'parameter'; readonly number: number };
}

/**
 * The values that UPDATE, ON CONFLICT DO UPDATE and MERGE give to columns, wherever such a statement stands in a text:
 * constants and parameters, and the keys of an upsert, those in rows that the statement brings (VALUES, `unnest`, `excluded`) and in branches of a
 * CASE too. By names alone: which relation a name stands for is not looked up.
 *
 * @param tree as the parser gives it
 */
export function writtenValues(tree: unknown): readonly WrittenValue[] {
  const found: WrittenValue[] = [];
  const pending: unknown[] = [tree];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null) continue;
    if (isNode(value)) collect(value, found);
    for (const child of Object.values(value)) pending.push(child);
  }
  return found;
}

/** The values that an EXECUTE of a text gives, by the parameter's number. */
export function executeArguments(tree: unknown): readonly (readonly unknown[])[] {
  const pending: unknown[] = [tree];
  const found: (readonly unknown[])[] = [];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null) continue;
    const execute = isNode(value) ? inside(value, 'ExecuteStmt') : undefined;
    if (execute !== undefined) found.push(listAt(execute, 'params'));
    for (const child of Object.values(value)) pending.push(child);
  }
  return found;
}

/** The columns that rows of a statement have, by `name.column`, and what may stand in them. */
type Brought = ReadonlyMap<string, readonly unknown[]>;

const NOTHING: Brought = new Map();

function collect(value: TreeNode, found: WrittenValue[]): void {
  const update = inside(value, 'UpdateStmt');
  if (update !== undefined) {
    assigned(targetOf(update), listAt(update, 'targetList'), rowsOf(listAt(update, 'fromClause')), found);
  }
  const insert = inside(value, 'InsertStmt');
  const conflict = insert === undefined ? undefined : nodeAt(insert, 'onConflictClause');
  if (insert !== undefined && conflict !== undefined) {
    assigned(targetOf(insert), listAt(conflict, 'targetList'), insertedRows(insert), found);
    sought(insert, conflict, found);
  }
  const merge = inside(value, 'MergeStmt');
  for (const item of merge === undefined ? [] : listAt(merge, 'mergeWhenClauses')) {
    const clause = inside(item, 'MergeWhenClause') ?? EMPTY;
    // Those with values of their own insert.
    if (merge !== undefined && listAt(clause, 'values').length === 0)
      assigned(targetOf(merge), listAt(clause, 'targetList'), rowsOf([merge['sourceRelation']]), found);
  }
}

/** The keys by which an upsert looks for the row that is there: any of its columns where it names none. */
function sought(insert: TreeNode, conflict: TreeNode, found: WrittenValue[]): void {
  const keys = listAt(nodeAt(conflict, 'infer') ?? EMPTY, 'indexElems').map((item) =>
    textAt(inside(item, 'IndexElem') ?? EMPTY, 'name'),
  );
  for (const [name, values] of insertedRows(insert)) {
    const column = name.slice(name.indexOf('.') + 1);
    if (keys.length > 0 && !keys.includes(column)) continue;
    for (const item of values)
      for (const value of leaves(item, NOTHING))
        if (value.kind !== 'null') found.push({ ...targetOf(insert), column, value });
  }
}

type Target = Pick<WrittenValue, 'schema' | 'table'>;

function targetOf(statement: TreeNode): Target {
  const { schema, name } = objectName(nodeAt(statement, 'relation') ?? EMPTY);
  return { schema, table: name };
}

/** `SET a = …, (b, c) = …`. */
function assigned(target: Target, list: readonly unknown[], brought: Brought, found: WrittenValue[]): void {
  for (const item of list) {
    const assignment = inside(item, 'ResTarget') ?? EMPTY;
    const column = textAt(assignment, 'name');
    for (const value of leaves(valueOf(assignment['val']), brought)) found.push({ ...target, column, value });
  }
}

/** One part of a row that is assigned to several columns at once. */
function valueOf(value: unknown): unknown {
  const part = inside(value, 'MultiAssignRef');
  const row = part === undefined ? undefined : inside(part['source'], 'RowExpr');
  if (part === undefined || row === undefined) return value;
  return listAt(row, 'args')[typeof part['colno'] === 'number' ? part['colno'] - 1 : 0];
}

/** The constants and parameters that the value may become, whatever is done to them. NULL only where it is the whole of it. */
function leaves(value: unknown, brought: Brought): readonly WrittenValue['value'][] {
  const constant = literalIn(value);
  if (constant?.value === null) return [{ kind: 'null' }];
  const found: WrittenValue['value'][] = [];
  const pending: unknown[] = [value];
  while (pending.length > 0) {
    const one = pending.pop();
    if (typeof one !== 'object' || one === null) continue;
    const leaf = isNode(one) ? leafOf(one) : undefined;
    if (leaf !== undefined) found.push(leaf);
    else pending.push(...branches(one, brought));
  }
  return found;
}

function leafOf(node: TreeNode): WrittenValue['value'] | undefined {
  const number = inside(node, 'ParamRef')?.['number'];
  if (typeof number === 'number') return { kind: 'parameter', number };
  const constant = inside(node, 'A_Const') === undefined ? undefined : literalIn(node)?.value;
  return typeof constant === 'string' ? { kind: 'text', text: constant } : undefined;
}

function branches(node: object, brought: Brought): readonly unknown[] {
  if (!isNode(node)) return Object.values(node);
  // What a condition compares with is not written.
  const branch = inside(node, 'CaseWhen');
  if (branch !== undefined) return [branch['result']];
  const column = inside(node, 'ColumnRef');
  if (column === undefined) return Object.values(node);
  const fields = listAt(column, 'fields').map((field) => textAt(inside(field, 'String') ?? EMPTY, 'sval'));
  return fields.length === 2 ? (brought.get(fields.join('.')) ?? []) : [];
}

/** `excluded.column`, of each row that an INSERT brings. */
function insertedRows(insert: TreeNode): Brought {
  const names = listAt(insert, 'cols').map((item) => textAt(inside(item, 'ResTarget') ?? EMPTY, 'name'));
  const select = inside(insert['selectStmt'], 'SelectStmt');
  if (select === undefined || names.length === 0) return NOTHING;
  return columnsOf('excluded', names, select);
}

/** `v.column` of `FROM (VALUES …) v(column)` and of `unnest($1, $2) v(column, …)`. */
function rowsOf(items: readonly unknown[]): Brought {
  const found = new Map<string, readonly unknown[]>();
  for (const item of items) {
    const rows = inside(item, 'RangeSubselect');
    const calls = inside(item, 'RangeFunction');
    const alias = nodeAt(rows ?? calls ?? EMPTY, 'alias') ?? EMPTY;
    const name = textAt(alias, 'aliasname');
    const names = listAt(alias, 'colnames').map((one) => textAt(inside(one, 'String') ?? EMPTY, 'sval'));
    const select = rows === undefined ? undefined : inside(rows['subquery'], 'SelectStmt');
    if (select !== undefined) for (const [key, values] of columnsOf(name, names, select)) found.set(key, values);
    const arrays = unnested(item);
    (names.length > 0 ? names : [name]).forEach((column, index) => {
      if (arrays !== undefined) found.set(`${name}.${column}`, [arrays[index]]);
    });
  }
  return found;
}

/** The arrays of a call in FROM, such as `unnest`. */
function unnested(item: unknown): readonly unknown[] | undefined {
  const calls = inside(item, 'RangeFunction');
  const [first] = listAt(calls ?? EMPTY, 'functions').map((call) => itemsOf(call)[0]);
  const call = inside(first, 'FuncCall');
  return call === undefined ? undefined : listAt(call, 'args');
}

/** Column by column what the rows of VALUES, or the targets of a SELECT, give. */
function columnsOf(name: string, names: readonly string[], select: TreeNode): Brought {
  const rows = listAt(select, 'valuesLists');
  const targets = listAt(select, 'targetList').map((item) => inside(item, 'ResTarget') ?? EMPTY);
  const known = names.length > 0 ? names : targets.map((target) => textAt(target, 'name'));
  const [from] = listAt(select, 'fromClause');
  const isAll = inside(listAt(inside(targets[0]?.['val'], 'ColumnRef') ?? EMPTY, 'fields')[0], 'A_Star') !== undefined;
  const arrays = isAll ? unnested(from) : undefined;
  return new Map(
    known.map((column, index) => [
      `${name}.${column}`,
      rows.length > 0 ? rows.map((row) => itemsOf(row)[index]) : [arrays?.[index] ?? targets[index]?.['val']],
    ]),
  );
}
