import type { AtomKind } from './formula.js';
import { resolveColumn, sourcesOf, withCtes } from './row-sources.js';
import type { RowScope } from './row-sources.js';
import { inside, isNode, listAt, namesIn, nodeAt } from './tree.js';
import type { TreeNode } from './tree.js';

/** Tells of an expression at one place of a predicate what its value depends on, and which are the same. */
export class RowDependence {
  /**
   * @param scope the level the expression stands at
   * @param own the level whose rows are asked about: `scope` or one around it
   * @param names parameters and variables: values given from outside
   */
  constructor(
    readonly scope: RowScope,
    private readonly own: RowScope,
    private readonly names: ReadonlySet<string>,
    /** Columns that stand without qualifier anywhere in the predicate. */
    private readonly bare: ReadonlySet<string>,
  ) {}

  /** The same question inside of a sub-select. */
  within(select: TreeNode): RowDependence {
    return new RowDependence(innerScope(select, this.scope), this.own, this.names, this.bare);
  }

  same(left: unknown, right: unknown): boolean {
    const [a, b] = [inside(left, 'ColumnRef'), inside(right, 'ColumnRef')];
    if (a === undefined || b === undefined) return this.key(left) === this.key(right);
    const [one, other] = [namesIn(listAt(a, 'fields')), namesIn(listAt(b, 'fields'))];
    if (one.at(-1) !== other.at(-1)) return false;
    if (one.length > 1 && other.length > 1) return one.at(-2) === other.at(-2);
    // `t.x = x`: where the bare name is not ambiguous it can only mean the same column, unless the
    // qualifier is that of a variable or of a rule's OLD and NEW.
    const qualified = one.length > 1 ? a : other.length > 1 ? b : undefined;
    return qualified === undefined || resolveColumn(qualified, this.scope) !== undefined;
  }

  /** Equal for equal expressions wherever they stand, however their columns are qualified. */
  key(value: unknown): string {
    return JSON.stringify(value, (field, item: unknown) => {
      if (field === 'location' || field.endsWith('_start') || field.endsWith('_end')) return undefined;
      return field === 'ColumnRef' && isNode(item) ? this.keyOfColumn(item) : item;
    });
  }

  /** Its level and its name; the qualifier too where nothing names it without one and there are several sources. */
  private keyOfColumn(column: TreeNode): unknown {
    const fields = listAt(column, 'fields');
    const names = namesIn(fields);
    const resolved = resolveColumn(column, this.scope);
    const name = names.at(-1) ?? '';
    if (resolved === undefined || names.length < fields.length) return column;
    let level = 0;
    for (let at = resolved.scope.outer; at !== undefined; at = at.outer) level += 1;
    const plain = resolved.scope.sources.length === 1 || this.bare.has(name);
    return plain ? [level, name] : [level, ...names.slice(-2)];
  }

  /** Whose value decides this expression? */
  kindOf(value: unknown, scope: RowScope = this.scope): AtomKind {
    if (Array.isArray(value)) return strongest(value.map((item) => this.kindOf(item, scope)));
    if (!isNode(value)) return 'constant';
    const column = inside(value, 'ColumnRef');
    if (column !== undefined) return this.kindOfColumn(column, scope);
    if (inside(value, 'ParamRef') !== undefined || inside(value, 'SQLValueFunction') !== undefined) return 'given';
    const call = inside(value, 'FuncCall');
    if (call !== undefined && listAt(call, 'args').length === 0) return 'given';
    const select = inside(value, 'SelectStmt');
    if (select !== undefined) return this.kindOf(Object.values(select), innerScope(select, scope));
    return strongest(Object.values(value).map((child) => this.kindOf(child, scope)));
  }

  private kindOfColumn(column: TreeNode, scope: RowScope): AtomKind {
    const names = namesIn(listAt(column, 'fields'));
    if (names.length === 1 && this.names.has(names[0] ?? '')) return 'given';
    const resolved = resolveColumn(column, scope);
    return resolved?.scope === this.own && !resolved.constant ? 'rows' : 'constant';
  }
}

function strongest(kinds: readonly AtomKind[]): AtomKind {
  if (kinds.includes('rows')) return 'rows';
  return kinds.includes('given') ? 'given' : 'constant';
}

function innerScope(select: TreeNode, outer: RowScope): RowScope {
  const ctes = withCtes(nodeAt(select, 'withClause'), outer.ctes);
  return { sources: sourcesOf(listAt(select, 'fromClause'), ctes), outer, ctes, open: outer.open };
}

/** Columns without qualifier in a tree. */
export function bareColumns(tree: unknown): ReadonlySet<string> {
  const names = new Set<string>();
  const pending = [tree];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null) continue;
    const fields = listAt(inside(value, 'ColumnRef') ?? {}, 'fields');
    const [only] = namesIn(fields);
    if (fields.length === 1 && only !== undefined) names.add(only);
    for (const child of Object.values(value)) pending.push(child);
  }
  return names;
}
