import type { ObjectName } from '../../../policy/types.js';
import type { OpenColumns } from './open-columns.js';
import { EMPTY, flagAt, inside, isNode, itemsOf, listAt, namesIn, nodeAt, objectName, tagged, textAt } from './tree.js';
import type { TreeNode } from './tree.js';

/**
 * Which rows a predicate can speak of: the sources in FROM, USING and the target, and the columns
 * they are known to have. There is no catalogue here, so a table's columns are unknown.
 */

/** A named thing a column can come from. */
export interface RowSource {
  readonly name: string;
  /** Undefined where only the catalogue knows. */
  readonly columns: ReadonlySet<string> | undefined;
  /** True where its rows come from no table: VALUES, functions, SELECT without FROM. */
  readonly constant: boolean;
  /** Of a table whose columns go by their own names. */
  readonly relation?: ObjectName;
}

/** The sources of one query level and, for a sub-select, those around it. */
export interface RowScope {
  readonly sources: readonly RowSource[];
  readonly outer: RowScope | undefined;
  readonly ctes: CteScope | undefined;
  /** Asked whose a name is where only the catalogue knows; without it, it is the innermost level's. */
  readonly open?: OpenColumns | undefined;
}

/** WITH names in sight, innermost first. */
export interface CteScope {
  readonly name: string;
  readonly query: TreeNode;
  readonly columns: readonly string[];
  /** What the query itself sees: the names before it, all of the clause where it is RECURSIVE. */
  inner: CteScope | undefined;
  readonly next: CteScope | undefined;
}

export function findCte(scope: CteScope | undefined, name: string): CteScope | undefined {
  for (let at = scope; at !== undefined; at = at.next) if (at.name === name) return at;
  return undefined;
}

const scopesByClause = new WeakMap<TreeNode, CteScope | undefined>();

/** The scope inside a statement that has this WITH clause. */
export function withCtes(clause: TreeNode | undefined, outer: CteScope | undefined): CteScope | undefined {
  if (clause === undefined) return outer;
  // A clause stands at one place of the tree, so what surrounds it never differs.
  if (scopesByClause.has(clause)) return scopesByClause.get(clause);
  const added: CteScope[] = [];
  let scope = outer;
  for (const item of listAt(clause, 'ctes')) {
    const cte = inside(item, 'CommonTableExpr');
    if (cte === undefined) continue;
    scope = {
      name: textAt(cte, 'ctename'),
      query: nodeAt(cte, 'ctequery') ?? EMPTY,
      columns: namesIn(listAt(cte, 'aliascolnames')),
      inner: scope,
      next: scope,
    };
    added.push(scope);
  }
  if (flagAt(clause, 'recursive')) for (const cte of added) cte.inner = scope;
  scopesByClause.set(clause, scope);
  return scope;
}

/** The source that a RangeVar makes: a WITH query's rows, or a table's. */
export function tableSource(node: TreeNode, ctes: CteScope | undefined): RowSource {
  const alias = nodeAt(node, 'alias');
  const relation = textAt(node, 'relname');
  const name = alias === undefined ? relation : textAt(alias, 'aliasname');
  const cte = textAt(node, 'schemaname') === '' ? findCte(ctes, relation) : undefined;
  if (cte === undefined) {
    const plain = alias === undefined || listAt(alias, 'colnames').length === 0;
    return { name, columns: undefined, constant: false, ...(plain ? { relation: objectName(node) } : {}) };
  }
  const columns = cte.columns.length > 0 ? new Set(cte.columns) : outputColumns(cte.query, cte.inner);
  return { name, columns: renamed(columns, alias), constant: !readsTables(cte.query, cte.inner) };
}

/** All sources of a FROM or USING list, joins taken apart. */
export function sourcesOf(list: readonly unknown[], ctes: CteScope | undefined): readonly RowSource[] {
  return list.flatMap((item) => sourcesIn(item, ctes));
}

function sourcesIn(item: unknown, ctes: CteScope | undefined): readonly RowSource[] {
  const found = tagged(item);
  if (found === undefined) return [];
  const { type, node } = found;
  const alias = nodeAt(node, 'alias');
  if (type === 'RangeVar') return [tableSource(node, ctes)];
  if (type === 'RangeTableSample') return sourcesIn(node['relation'], ctes);
  if (type === 'JoinExpr') {
    const inner = [...sourcesIn(node['larg'], ctes), ...sourcesIn(node['rarg'], ctes)];
    if (alias === undefined) return inner;
    // The alias hides the names inside, and stands for the columns of both.
    return [
      { name: textAt(alias, 'aliasname'), columns: undefined, constant: inner.every((source) => source.constant) },
    ];
  }
  const name = alias === undefined ? '' : textAt(alias, 'aliasname');
  if (type === 'RangeSubselect') {
    const query = nodeAt(node, 'subquery') ?? EMPTY;
    return [{ name, columns: renamed(outputColumns(query, ctes), alias), constant: !readsTables(query, ctes) }];
  }
  if (type === 'RangeFunction') return [functionSource(node, name)];
  return [{ name, columns: undefined, constant: false }];
}

function functionSource(node: TreeNode, alias: string): RowSource {
  const aliasNode = nodeAt(node, 'alias');
  const names = new Set(aliasNode === undefined ? [] : namesIn(listAt(aliasNode, 'colnames')));
  const defined = listAt(node, 'coldeflist');
  for (const column of defined) names.add(textAt(inside(column, 'ColumnDef') ?? EMPTY, 'colname'));
  const called = listAt(node, 'functions').flatMap((item) =>
    itemsOf(item).flatMap((call) => namesIn(listAt(inside(call, 'FuncCall') ?? EMPTY, 'funcname')).slice(-1)),
  );
  const name = alias === '' ? (called[0] ?? '') : alias;
  names.add(name);
  for (const call of called) names.add(call);
  names.add('ordinality');
  return { name, columns: names, constant: true };
}

function renamed(
  columns: ReadonlySet<string> | undefined,
  alias: TreeNode | undefined,
): ReadonlySet<string> | undefined {
  const names = alias === undefined ? [] : namesIn(listAt(alias, 'colnames'));
  if (names.length === 0) return columns;
  // Fewer aliases than columns leave the rest as they were: keep both.
  return new Set([...names, ...(columns ?? [])]);
}

const columnsByQuery = new WeakMap<TreeNode, ReadonlySet<string> | undefined>();

/** The column names a query gives; undefined where the catalogue is needed. */
function outputColumns(query: TreeNode, ctes: CteScope | undefined): ReadonlySet<string> | undefined {
  const select = inside(query, 'SelectStmt');
  if (select === undefined) return undefined;
  if (columnsByQuery.has(query)) return columnsByQuery.get(query);
  // Unknown while it is being worked out: a recursive query names itself.
  columnsByQuery.set(query, undefined);
  const columns = selectColumns(select, ctes);
  columnsByQuery.set(query, columns);
  return columns;
}

function selectColumns(select: TreeNode, ctes: CteScope | undefined): ReadonlySet<string> | undefined {
  const left = nodeAt(select, 'larg');
  const inner = withCtes(nodeAt(select, 'withClause'), ctes);
  if (left !== undefined) return selectColumns(left, inner);
  const values = listAt(select, 'valuesLists')[0];
  if (values !== undefined) return new Set(itemsOf(values).map((_, index) => `column${index + 1}`));
  const names = new Set<string>();
  for (const item of listAt(select, 'targetList')) {
    const target = inside(item, 'ResTarget') ?? EMPTY;
    const given = textAt(target, 'name');
    if (given !== '') {
      names.add(given);
      continue;
    }
    const column = inside(target['val'], 'ColumnRef');
    const fields = column === undefined ? [] : listAt(column, 'fields');
    if (inside(fields.at(-1), 'A_Star') !== undefined) {
      for (const source of sourcesOf(listAt(select, 'fromClause'), inner)) {
        if (source.columns === undefined) return undefined;
        for (const name of source.columns) names.add(name);
      }
      continue;
    }
    names.add(namesIn(fields).at(-1) ?? impliedName(target['val']));
  }
  return names;
}

/** The name PostgreSQL gives an unnamed output column (FigureColname), for the forms that have one. */
export function impliedName(value: unknown): string {
  const found = tagged(value);
  if (found === undefined) return '?column?';
  if (found.type === 'FuncCall') return namesIn(listAt(found.node, 'funcname')).at(-1) ?? '?column?';
  if (found.type === 'TypeCast') {
    const inner = impliedName(found.node['arg']);
    return inner === '?column?'
      ? (namesIn(listAt(nodeAt(found.node, 'typeName') ?? EMPTY, 'names')).at(-1) ?? inner)
      : inner;
  }
  const byType: Readonly<Record<string, string>> = {
    CoalesceExpr: 'coalesce',
    CaseExpr: 'case',
    A_ArrayExpr: 'array',
    RowExpr: 'row',
    NullIfExpr: 'nullif',
  };
  return byType[found.type] ?? '?column?';
}

const readsByQuery = new WeakMap<TreeNode, boolean>();

/** Does a query read a table, other than by the name of a WITH query that reads none? */
function readsTables(query: TreeNode, ctes: CteScope | undefined): boolean {
  const known = readsByQuery.get(query);
  if (known !== undefined) return known;
  // A recursive query names itself: that alone reads no table.
  readsByQuery.set(query, false);
  const reads = tableBelow(query, ctes);
  readsByQuery.set(query, reads);
  return reads;
}

function tableBelow(value: unknown, ctes: CteScope | undefined): boolean {
  if (Array.isArray(value)) return value.some((item) => tableBelow(item, ctes));
  if (!isNode(value)) return false;
  if (typeof value['relname'] === 'string' && 'relpersistence' in value) {
    const cte = textAt(value, 'schemaname') === '' ? findCte(ctes, textAt(value, 'relname')) : undefined;
    return cte === undefined || readsTables(cte.query, cte.inner);
  }
  const inner = withCtes(nodeAt(value, 'withClause'), ctes);
  return Object.entries(value).some(([key, child]) => key !== 'withClause' && tableBelow(child, inner));
}

/** Where a column comes from: the level's depth from inside (0) and the source; undefined where nothing fits. */
export interface Resolved {
  readonly scope: RowScope;
  readonly constant: boolean;
}

/**
 * Finds the level that a column belongs to.
 *
 * An unqualified name belongs to the innermost level that has a source of unknown columns, unless `open` says that it
 * does not: in doubt it is the sub-select's own, which restricts nothing outside. Writers can qualify it.
 */
export function resolveColumn(column: TreeNode, scope: RowScope): Resolved | undefined {
  const fields = listAt(column, 'fields');
  const names = namesIn(fields);
  const star = names.length < fields.length;
  const qualifier = star ? names.at(-1) : names.at(-2);
  const name = names.at(-1) ?? '';
  for (let at: RowScope | undefined = scope; at !== undefined; at = at.outer) {
    const source =
      qualifier === undefined ? unqualified(at, name) : at.sources.find((candidate) => candidate.name === qualifier);
    if (source !== undefined) return { scope: at, constant: source.constant };
  }
  return undefined;
}

function unqualified(scope: RowScope, name: string): RowSource | undefined {
  return (
    scope.sources.find((source) => source.columns?.has(name) === true) ??
    scope.sources.find((source) => source.name === name) ??
    ownSource(scope, name)
  );
}

/** A source of unknown columns that may have the name. */
function ownSource({ sources, outer, open }: RowScope, name: string): RowSource | undefined {
  const unknown = sources.filter((source) => source.columns === undefined);
  const relations = unknown.flatMap(({ relation }) => relation ?? []);
  const asks = open !== undefined && outer !== undefined && relations.length === unknown.length;
  return asks && unknown.length > 0 && open.isOuter(name, relations) ? undefined : unknown[0];
}
