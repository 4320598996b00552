import {
  compareLiterals,
  FALSE,
  matchesAll,
  NEGATED,
  not,
  REFLEXIVE,
  TRUE,
  truth,
  truthOf,
  UNKNOWN,
} from './comparison.js';
import type { AtomKind, Formula, Truth } from './formula.js';
import { restrictsNothing } from './formula.js';
import { OverBounds } from './over-bounds.js';
import { bareColumns, RowDependence } from './row-dependence.js';
import type { RowScope } from './row-sources.js';
import { flagAt, inside, itemsOf, listAt, literalIn, namesIn, nodeAt, tagged, textAt } from './tree.js';
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
  const rows = new RowDependence(scope, scope, names, bareColumns(where));
  return restrictsNothing(new FormulaBuilder(rows, { left: MAX_PARTS }).build(where));
}

const MAX_LIST = 8;
/** Parts of one predicate; nested lists of truth values would multiply without it. */
const MAX_PARTS = 300_000;
/** System columns are never NULL. */
const SYSTEM_COLUMNS: ReadonlySet<string> = new Set(['ctid', 'tableoid', 'xmin', 'xmax', 'cmin', 'cmax']);

class FormulaBuilder {
  constructor(
    private readonly rows: RowDependence,
    private readonly effort: { left: number },
  ) {}

  build(value: unknown): Formula {
    this.effort.left -= 1;
    if (this.effort.left < 0) throw new OverBounds('a predicate too large to read');
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
          ? this.build(uncast(node['arg']))
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
        return this.oneOf(left, itemsOf(right), operator === '<>');
      case 'AEXPR_OP_ANY':
      case 'AEXPR_OP_ALL':
        return this.overArray(node, operator, value);
      case 'AEXPR_BETWEEN':
      case 'AEXPR_NOT_BETWEEN': {
        const [low, high] = itemsOf(right);
        const between: Formula = { op: 'and', args: [this.compare('>=', left, low), this.compare('<=', left, high)] };
        return textAt(node, 'kind') === 'AEXPR_BETWEEN' ? between : not(between);
      }
      case 'AEXPR_BETWEEN_SYM':
      case 'AEXPR_NOT_BETWEEN_SYM': {
        const [low, high] = itemsOf(right);
        const either = [low, high].map((from): Formula => {
          const to = from === low ? high : low;
          return { op: 'and', args: [this.compare('>=', left, from), this.compare('<=', left, to)] };
        });
        const between: Formula = { op: 'or', args: either };
        return textAt(node, 'kind') === 'AEXPR_BETWEEN_SYM' ? between : not(between);
      }
      case 'AEXPR_SIMILAR': {
        const pattern = literalIn(listAt(inside(right, 'FuncCall') ?? node, 'args')[0])?.value;
        if (!matchesAll('~~', pattern)) return this.atom(value);
        return operator === '~' ? TRUE : FALSE;
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
    if (matchesAll(operator, b?.value)) return TRUE;
    // A literal stands on the right, so that `5 = id` and `id = 5` are one atom.
    if (b !== undefined) return this.atom([operator, left, right]);
    if (a !== undefined) return this.atom(operator === '=' ? [operator, right, left] : [operator, left, right]);
    if (this.rows.same(left, right)) {
      return REFLEXIVE.has(operator) ? TRUE : operator === '<' ? FALSE : this.atom([operator, left, right]);
    }
    const pair = operator === '=' && this.rows.key(right) < this.rows.key(left) ? [right, left] : [left, right];
    return this.atom([operator, ...pair]);
  }

  private sameness(left: unknown, right: unknown): Formula {
    const [a, b] = [literalIn(left), literalIn(right)];
    if (b?.value === null) return this.isNull(left);
    if (a?.value === null) return this.isNull(right);
    return this.compare('=', left, right);
  }

  private oneOf(left: unknown, list: readonly unknown[], negated: boolean): Formula {
    const truths = new Set(list.map((item) => literalIn(item)?.value).filter((value) => typeof value === 'boolean'));
    // `p IN (true, false)` holds for every row, as `p = p` does; built once, or nesting would multiply it.
    if (truths.size === 2) return negated ? FALSE : TRUE;
    const [wanted] = truths;
    const some: Formula[] = wanted === undefined ? [] : [wanted ? this.build(left) : not(this.build(left))];
    const others = list.filter((item) => typeof literalIn(item)?.value !== 'boolean');
    if (others.length > MAX_LIST && !others.some((item) => this.rows.same(left, item)))
      some.push(this.atom(['in', left, others]));
    else some.push(...others.map((item) => this.compare('=', left, item)));
    const any: Formula = some.length === 1 && some[0] !== undefined ? some[0] : { op: 'or', args: some };
    return negated ? not(any) : any;
  }

  private overArray(node: TreeNode, operator: string, value: unknown): Formula {
    const elements = inside(node['rexpr'], 'A_ArrayExpr');
    const list = elements === undefined ? [] : listAt(elements, 'elements');
    const isAny = textAt(node, 'kind') === 'AEXPR_OP_ANY';
    if (operator === '=' && isAny && list.length > 0) return this.oneOf(node['lexpr'], list, false);
    if (operator === '<>' && !isAny && list.length > 0) return this.oneOf(node['lexpr'], list, true);
    if (list.length === 0 || list.length > MAX_LIST) return this.atom(value);
    if (list.length > 1 && list.some((item) => typeof literalIn(item)?.value === 'boolean')) return this.atom(value);
    const args = list.map((item) => this.compare(operator, node['lexpr'], item));
    return { op: isAny ? 'or' : 'and', args };
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
      return { op: 'choose', when: this.build(when['expr']), then: this.build(when['result']), otherwise };
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
      inner.rows.kindOf(rest) === 'rows' || (whereClause !== undefined && !restrictsNothing(inner.build(whereClause)));
    return this.atom(value, depends ? 'rows' : 'constant');
  }

  private within(select: TreeNode): FormulaBuilder {
    return new FormulaBuilder(this.rows.within(select), this.effort);
  }

  private atom(value: unknown, kind: AtomKind = this.rows.kindOf(value)): Formula {
    return { op: 'atom', key: this.rows.key(value), kind };
  }
}

/** What is cast, once or over other types: `(id = id)::text::boolean` is as true as `id = id`. */
function uncast(value: unknown): unknown {
  const cast = inside(value, 'TypeCast');
  return cast === undefined ? value : uncast(cast['arg']);
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
