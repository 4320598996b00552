import type { AtomKind, Formula, Truth } from './formula.js';
import { restrictsNothing } from './formula.js';
import { resolveColumn, sourcesOf, withCtes } from './row-sources.js';
import type { RowScope } from './row-sources.js';
import { flagAt, inside, isNode, itemsOf, listAt, literalIn, namesIn, nodeAt, tagged, textAt } from './tree.js';
import type { TreeNode } from './tree.js';

/**
 * Does the WHERE of an UPDATE or DELETE, or the ON of a MERGE, restrict anything? It does not where
 * it is absent, refers to no column of the statement's row sources, or holds for every row:
 * `col = col`, `x OR true`, `p OR NOT p`, `c IS NULL OR c IS NOT NULL`.
 *
 * `col = col` counts as true although it is unknown for NULL: nobody restricts by it.
 *
 * @param names parameters and variables around the statement: values given from outside
 */
export function isUnrestricted(where: unknown, scope: RowScope, names: ReadonlySet<string>): boolean {
  if (where === undefined) return true;
  return restrictsNothing(new FormulaBuilder(scope, scope, names).build(where));
}

/** Negations written as operators of their own. */
const NEGATED: Readonly<Record<string, string>> = {
  '<>': '=',
  '!~~': '~~',
  '!~~*': '~~*',
  '!~': '~',
  '!~*': '~*',
  '>=': '<',
};
/** Operators that hold between a value and itself. */
const REFLEXIVE: ReadonlySet<string> = new Set(['=', '~~', '~~*', '@>', '<@', '&&']);
const MAX_LIST = 8;
/** System columns are never NULL. */
const SYSTEM_COLUMNS: ReadonlySet<string> = new Set(['ctid', 'tableoid', 'xmin', 'xmax', 'cmin', 'cmax']);

class FormulaBuilder {
  /** @param own the level whose rows are asked about; `scope` is that level or a sub-select inside */
  constructor(
    private readonly scope: RowScope,
    private readonly own: RowScope,
    private readonly names: ReadonlySet<string>,
  ) {}

  build(value: unknown): Formula {
    const literal = literalIn(value);
    if (literal !== undefined) return truthOf(literal.value);
    const found = tagged(value);
    if (found === undefined) return this.atom(value);
    const { type, node } = found;
    switch (type) {
      case 'BoolExpr':
        return this.connective(node);
      case 'A_Expr':
        return this.expression(node, value);
      case 'NullTest':
        return this.nullTest(node);
      case 'BooleanTest':
        return this.booleanTest(node);
      case 'TypeCast':
        return namesIn(listAt(nodeAt(node, 'typeName') ?? node, 'names')).at(-1) === 'bool'
          ? this.build(node['arg'])
          : this.atom(value);
      case 'CollateClause':
        return this.build(node['arg']);
      case 'CoalesceExpr':
        return this.coalesce(listAt(node, 'args'), value);
      case 'CaseExpr':
        return this.choice(node, value);
      case 'SubLink':
        return this.subLink(node, value);
      case 'CurrentOfExpr':
        return { op: 'atom', key: 'current of', kind: 'rows' };
      default:
        return this.atom(value);
    }
  }

  private connective(node: TreeNode): Formula {
    const args = listAt(node, 'args').map((arg) => this.build(arg));
    const op = textAt(node, 'boolop');
    if (op === 'NOT_EXPR') return { op: 'not', arg: args[0] ?? UNKNOWN };
    return { op: op === 'AND_EXPR' ? 'and' : 'or', args };
  }

  private expression(node: TreeNode, value: unknown): Formula {
    const operator = namesIn(listAt(node, 'name')).at(-1) ?? '';
    const left = node['lexpr'];
    const right = node['rexpr'];
    switch (textAt(node, 'kind')) {
      case 'AEXPR_OP':
      case 'AEXPR_LIKE':
      case 'AEXPR_ILIKE':
        return left === undefined ? this.atom(value) : this.compare(operator, left, right);
      case 'AEXPR_DISTINCT':
        return not(this.sameness(left, right));
      case 'AEXPR_NOT_DISTINCT':
        return this.sameness(left, right);
      case 'AEXPR_IN':
        return this.oneOf(left, itemsOf(right), operator === '<>', value);
      case 'AEXPR_OP_ANY':
      case 'AEXPR_OP_ALL':
        return this.overArray(node, operator, value);
      case 'AEXPR_BETWEEN':
      case 'AEXPR_NOT_BETWEEN': {
        const [low, high] = itemsOf(right);
        const between: Formula = { op: 'and', args: [this.compare('>=', left, low), this.compare('<=', left, high)] };
        return textAt(node, 'kind') === 'AEXPR_BETWEEN' ? between : not(between);
      }
      default:
        return this.atom(value);
    }
  }

  /** In one direction and without negated operators, so that opposites meet in one atom. */
  private compare(operator: string, left: unknown, right: unknown): Formula {
    if (operator === '>') return this.compare('<', right, left);
    if (operator === '<=') return not(this.compare('<', right, left));
    const plain = NEGATED[operator];
    if (plain !== undefined) return not(this.compare(plain, left, right));
    const [a, b] = [literalIn(left), literalIn(right)];
    // Casts may change what equal and different mean (citext); equal texts of one type are equal.
    const cast = inside(left, 'TypeCast') !== undefined || inside(right, 'TypeCast') !== undefined;
    if (a !== undefined && b !== undefined && (!cast || a.value === b.value)) {
      const known = compareLiterals(operator, a.value, b.value);
      if (known !== undefined) return known;
    }
    if (operator === '=') {
      if (typeof b?.value === 'boolean') return b.value ? this.build(left) : not(this.build(left));
      if (typeof a?.value === 'boolean') return a.value ? this.build(right) : not(this.build(right));
    }
    if (a?.value === null || b?.value === null) return UNKNOWN;
    if (this.same(left, right))
      return REFLEXIVE.has(operator) ? TRUE : operator === '<' ? FALSE : this.atom([operator, left, right]);
    if (matchesAll(operator, b?.value)) return TRUE;
    const pair = operator === '=' && this.key(right) < this.key(left) ? [right, left] : [left, right];
    return this.atom([operator, ...pair]);
  }

  private sameness(left: unknown, right: unknown): Formula {
    const [a, b] = [literalIn(left), literalIn(right)];
    if (b?.value === null) return this.isNull(left);
    if (a?.value === null) return this.isNull(right);
    return this.compare('=', left, right);
  }

  private oneOf(left: unknown, list: readonly unknown[], negated: boolean, value: unknown): Formula {
    const any: Formula =
      list.length > MAX_LIST && !list.some((item) => this.same(left, item))
        ? this.atom(['in', left, list], value)
        : { op: 'or', args: list.map((item) => this.compare('=', left, item)) };
    return negated ? not(any) : any;
  }

  private overArray(node: TreeNode, operator: string, value: unknown): Formula {
    const elements = inside(node['rexpr'], 'A_ArrayExpr');
    const list = elements === undefined ? [] : listAt(elements, 'elements');
    if (list.length === 0 || list.length > MAX_LIST) return this.atom(value);
    const args = list.map((item) => this.compare(operator, node['lexpr'], item));
    return { op: textAt(node, 'kind') === 'AEXPR_OP_ANY' ? 'or' : 'and', args };
  }

  private nullTest(node: TreeNode): Formula {
    const isNull = this.isNull(node['arg']);
    return textAt(node, 'nulltesttype') === 'IS_NOT_NULL' ? not(isNull) : isNull;
  }

  private isNull(arg: unknown): Formula {
    const literal = literalIn(arg);
    if (literal !== undefined) return literal.value === null ? TRUE : FALSE;
    const column = inside(arg, 'ColumnRef');
    if (column !== undefined && SYSTEM_COLUMNS.has(namesIn(listAt(column, 'fields')).at(-1) ?? '')) return FALSE;
    const type = tagged(arg)?.type;
    if (type === 'SQLValueFunction' || type === 'A_ArrayExpr') return FALSE;
    return this.atom(['null', arg]);
  }

  private booleanTest(node: TreeNode): Formula {
    const test = textAt(node, 'booltesttype');
    const negated = test.startsWith('IS_NOT_');
    const value: Truth | undefined = test.endsWith('TRUE') ? 1 : test.endsWith('FALSE') ? 0 : undefined;
    const arg = this.build(node['arg']);
    const is: Formula =
      value !== undefined
        ? { op: 'is', value, arg }
        : arg.op === 'truth'
          ? truth(arg.value === 0.5)
          : this.isNull(node['arg']);
    return negated ? not(is) : is;
  }

  private coalesce(args: readonly unknown[], value: unknown): Formula {
    const first = literalIn(args[0]);
    if (first === undefined) {
      // What is true for every row and never unknown decides; `col = col` counts as such here too.
      const head = this.build(args[0]);
      return head.op === 'truth' && head.value !== 0.5 ? head : this.atom(value);
    }
    return first.value === null && args.length > 1 ? this.coalesce(args.slice(1), value) : truthOf(first.value);
  }

  private choice(node: TreeNode, value: unknown): Formula {
    if (node['arg'] !== undefined) return this.atom(value);
    const rest: Formula = node['defresult'] === undefined ? UNKNOWN : this.build(node['defresult']);
    return listAt(node, 'args').reduceRight((otherwise: Formula, item): Formula => {
      const when = inside(item, 'CaseWhen');
      if (when === undefined) return otherwise;
      const condition: Formula = { op: 'is', value: 1, arg: this.build(when['expr']) };
      const taken: Formula = { op: 'and', args: [condition, this.build(when['result'])] };
      return { op: 'or', args: [taken, { op: 'and', args: [not(condition), otherwise] }] };
    }, rest);
  }

  private subLink(node: TreeNode, value: unknown): Formula {
    const select = inside(node['subselect'], 'SelectStmt');
    const kind = textAt(node, 'subLinkType');
    if (select === undefined) return this.atom(value);
    const inner = this.within(select);
    const plain = isPlain(select);
    const target = inside(listAt(select, 'targetList')[0], 'ResTarget')?.['val'];
    if (plain && kind === 'EXISTS_SUBLINK')
      return select['whereClause'] === undefined ? TRUE : inner.build(select['whereClause']);
    if (plain && select['whereClause'] === undefined && kind === 'EXPR_SUBLINK') return inner.build(target);
    if (
      plain &&
      select['whereClause'] === undefined &&
      kind === 'ANY_SUBLINK' &&
      listAt(node, 'operName').length === 0
    ) {
      return this.compare('=', node['testexpr'], target);
    }
    if (kind !== 'EXISTS_SUBLINK') return this.atom(value);
    // What EXISTS selects is never looked at: only what it reads from and its conditions can depend on our rows.
    const { targetList: _, whereClause, ...rest } = select;
    const depends =
      inner.kindOf(rest, inner.scope) === 'rows' ||
      (whereClause !== undefined && !restrictsNothing(inner.build(whereClause)));
    return this.atom(value, undefined, depends ? 'rows' : 'constant');
  }

  private within(select: TreeNode): FormulaBuilder {
    return new FormulaBuilder(innerScope(select, this.scope), this.own, this.names);
  }

  private atom(value: unknown, source: unknown = value, kind: AtomKind = this.kindOf(source, this.scope)): Formula {
    return { op: 'atom', key: this.key(value), kind };
  }

  private same(left: unknown, right: unknown): boolean {
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

  /** Equal for equal expressions wherever they stand; qualifiers drop out where only one source is in sight. */
  private key(value: unknown): string {
    const single = this.scope.outer === undefined && this.scope.sources.length === 1;
    return JSON.stringify(value, (field, item: unknown) => {
      if (field === 'location' || field.endsWith('_start') || field.endsWith('_end')) return undefined;
      if (single && field === 'fields' && Array.isArray(item)) return item.slice(-1);
      return item;
    });
  }

  /** Whose value decides this expression? */
  private kindOf(value: unknown, scope: RowScope): AtomKind {
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

const TRUE: Formula = { op: 'truth', value: 1 };
const FALSE: Formula = { op: 'truth', value: 0 };
const UNKNOWN: Formula = { op: 'truth', value: 0.5 };

function not(arg: Formula): Formula {
  if (arg.op === 'not') return arg.arg;
  return arg.op === 'truth' ? { op: 'truth', value: (1 - arg.value) as Truth } : { op: 'not', arg };
}

function truth(value: boolean): Formula {
  return value ? TRUE : FALSE;
}

/** A literal as a condition: `'t'` and `'on'` are accepted where a truth value is wanted. */
function truthOf(value: string | number | boolean | null): Formula {
  if (value === null) return UNKNOWN;
  if (typeof value !== 'string') return truth(Boolean(value));
  return truth(!/^\s*(f|fa|fal|fals|false|n|no|of|off|0)\s*$/i.test(value));
}

function strongest(kinds: readonly AtomKind[]): AtomKind {
  if (kinds.includes('rows')) return 'rows';
  return kinds.includes('given') ? 'given' : 'constant';
}

function innerScope(select: TreeNode, outer: RowScope): RowScope {
  const ctes = withCtes(nodeAt(select, 'withClause'), outer.ctes);
  return { sources: sourcesOf(listAt(select, 'fromClause'), ctes), outer, ctes };
}

/** `SELECT x [WHERE …]` and nothing more: it gives its row for any row around it. */
function isPlain(select: TreeNode): boolean {
  const more = [
    'fromClause',
    'valuesLists',
    'havingClause',
    'groupClause',
    'limitCount',
    'limitOffset',
    'larg',
    'withClause',
  ];
  return more.every((field) => select[field] === undefined) && !flagAt(select, 'groupDistinct');
}

/** Undefined where PostgreSQL's types would have to be known. */
function compareLiterals(
  operator: string,
  left: string | number | boolean | null,
  right: string | number | boolean | null,
): Formula | undefined {
  if (left === null || right === null) return UNKNOWN;
  const numbers = typeof left === 'number' || typeof right === 'number';
  const [a, b] = numbers ? [Number(left), Number(right)] : [left, right];
  if (operator === '=') return truth(a === b);
  if (operator === '<') return a === b ? FALSE : numbers ? truth(a < b) : undefined;
  return undefined;
}

/** Patterns that every value meets. */
function matchesAll(operator: string, pattern: unknown): boolean {
  if (typeof pattern !== 'string') return false;
  if (operator === '~~' || operator === '~~*') return /^%+$/.test(pattern);
  return (operator === '~' || operator === '~*') && /^\^?(\.\*)?\$?$/.test(pattern);
}
