/**
 * Pseudonyms in rows that the caller brings: `JOIN (VALUES ('u_…')) v(e) ON v.e = p.email`. To turn such a value back is to
 * change the row, so it must be certain that nothing else looks at it: no result, no other condition, no call.
 */
import {
  EMPTY,
  flagAt,
  inside,
  isNode,
  listAt,
  namesIn,
  nodeAt,
  tagged,
  textAt,
  type TreeNode,
} from '../facts/tree.js';
import { givenIn, type Brought, type GivenValue } from './given-values.js';
import type { Reading } from './reading.js';
import type { Output } from './scope.js';

/** A query that stands in no other: what is brought in it is used nowhere else. */
export function queryAlone(reading: Reading, query: unknown): Output {
  const output = reading.query(query, undefined, undefined);
  reading.findings.given.push(...solelyBrought(reading.findings.brought.splice(0), query));
  return output;
}

/** The values in brought rows that are compared with columns and used in nothing else. */
function solelyBrought(brought: readonly Brought[], query: unknown): readonly GivenValue[] {
  const named = brought.filter(({ ref }) => ref !== undefined);
  const names = named.length === 0 ? undefined : namesUsed(query);
  return brought.flatMap(({ given, column, ref }) => {
    const refs = named.flatMap((one) => (one.given === given && one.ref !== undefined ? [one.ref] : []));
    const isSole = ref === undefined ? refs.length === 0 : names !== undefined && isUsedOnlyBy(names, refs);
    return isSole && given.isPutIn !== true ? givenIn(given.side, column, given.isArray) : [];
  });
}

/** What a query names. */
interface NamesUsed {
  readonly columns: TreeNode[];
  /** Names of tables of their own, by which no brought row goes. */
  readonly tables: Set<string>;
  readonly others: Set<string>;
  /** Columns that USING compares. */
  readonly merged: Set<string>;
}

/** Undefined where a row may be used under names that are not seen. */
function namesUsed(query: unknown): NamesUsed | undefined {
  const used: NamesUsed = { columns: [], tables: new Set(), others: new Set(), merged: new Set() };
  const ctes = new Set<string>();
  const ranges: TreeNode[] = [];
  const pending: unknown[] = [query];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null) continue;
    const { type, node } = tagged(value) ?? { type: '', node: EMPTY };
    if (type === 'JoinExpr' && (flagAt(node, 'isNatural') || nodeAt(node, 'alias') !== undefined)) return undefined;
    for (const name of type === 'JoinExpr' ? namesIn(listAt(node, 'usingClause')) : []) used.merged.add(name);
    if (type === 'CommonTableExpr') ctes.add(textAt(node, 'ctename'));
    else if (type === 'ColumnRef') used.columns.push(node);
    else if (type === 'RangeVar') ranges.push(node);
    else if (type === 'RangeSubselect' || type === 'RangeFunction')
      used.others.add(textAt(nodeAt(node, 'alias') ?? EMPTY, 'aliasname'));
    // The target of a change is no tagged node.
    const target = isNode(value) ? nodeAt(value, 'relation') : undefined;
    if (target !== undefined && textAt(target, 'relname') !== '') ranges.push(target);
    pending.push(...(Object.values(value) as unknown[]));
  }
  for (const range of ranges) {
    const alias = nodeAt(range, 'alias');
    if (alias !== undefined && listAt(alias, 'colnames').length > 0) return undefined;
    const name = alias === undefined ? textAt(range, 'relname') : textAt(alias, 'aliasname');
    (ctes.has(textAt(range, 'relname')) ? used.others : used.tables).add(name);
  }
  return used;
}

function isUsedOnlyBy({ columns, tables, others, merged }: NamesUsed, refs: readonly TreeNode[]): boolean {
  const [name, ...more] = new Set(refs.map((ref) => pathOf(ref).at(-1)));
  if (name === undefined || more.length > 0 || merged.has(name)) return false;
  return columns.every((column) => {
    if (refs.includes(column)) return true;
    const path = pathOf(column);
    const qualifier = path.length > 1 ? path.at(-2) : undefined;
    if (qualifier !== undefined && tables.has(qualifier) && !others.has(qualifier)) return true;
    // A bare name may be that of a row, a star stands for all of its columns.
    const isRow = path.length === 1 && others.has(path[0] ?? '');
    return !isRow && path.at(-1) !== name && path.at(-1) !== '*';
  });
}

function pathOf(column: TreeNode): readonly string[] {
  return listAt(column, 'fields').map((field) => {
    const text = inside(field, 'String');
    return text === undefined ? '*' : textAt(text, 'sval');
  });
}
