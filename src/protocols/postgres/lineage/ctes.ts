import { inside, listAt, namesIn, nodeAt, flagAt, textAt, EMPTY } from '../facts/tree.js';
import type { TreeNode } from '../facts/tree.js';
import { derived, either, type Derivation } from './derivation.js';
import { withoutGiven } from './given-columns.js';
import type { Reading } from './reading.js';
import { UNKNOWN_COLUMNS, wholeOf, type Level, type Output, type Ctes } from './scope.js';

const UNKNOWN: Output = { columns: [{ name: '', value: UNKNOWN_COLUMNS }], exact: false };
/** Rounds in which a recursive query's columns may still grow. */
const MAX_ROUNDS = 30;

export function findCte(ctes: Ctes | undefined, name: string): Ctes | undefined {
  for (let at = ctes; at !== undefined; at = at.next) if (at.name === name) return at;
  return undefined;
}

/** The WITH queries in sight inside a statement that has this clause. All of them are read, named or not. */
export function withClause(
  reading: Reading,
  clause: TreeNode | undefined,
  outer: Level | undefined,
  ctes: Ctes | undefined,
): Ctes | undefined {
  if (clause === undefined) return ctes;
  let scope = ctes;
  const added: Cte[] = [];
  for (const item of listAt(clause, 'ctes')) {
    const node = inside(item, 'CommonTableExpr') ?? EMPTY;
    const cte: Cte = new Cte(reading, node, outer, scope, flagAt(clause, 'recursive'));
    scope = cte;
    added.push(cte);
  }
  if (flagAt(clause, 'recursive')) for (const cte of added) cte.inner = scope;
  for (const cte of added) cte.output();
  return scope;
}

class Cte implements Ctes {
  readonly name: string;
  inner: Ctes | undefined;
  #output: Output | undefined;
  #running = false;

  constructor(
    private readonly reading: Reading,
    private readonly node: TreeNode,
    private readonly outer: Level | undefined,
    readonly next: Ctes | undefined,
    private readonly recursive: boolean,
  ) {
    this.name = textAt(node, 'ctename');
    this.inner = next;
  }

  output(): Output {
    if (this.#output !== undefined) return this.#output;
    // Named before its first term is known: nothing that the server would run.
    if (this.#running) return UNKNOWN;
    this.#running = true;
    const select = inside(this.node['ctequery'], 'SelectStmt');
    const first = this.recursive && select !== undefined ? nodeAt(select, 'larg') : undefined;
    if (first === undefined || select === undefined) {
      this.#output = this.#named(this.reading.query(this.node['ctequery'], this.outer, this.inner));
      return this.#output;
    }
    const inner = withClause(this.reading, nodeAt(select, 'withClause'), this.outer, this.inner);
    const terms = this.#named(this.reading.select(first, this.outer, inner));
    let known: Output = { ...terms, columns: withoutGiven(terms.columns) };
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      this.#output = known;
      const grown = this.#named(this.reading.select(select, this.outer, this.inner));
      if (sizeOf(grown) === sizeOf(known)) {
        this.#judgeCycle(known);
        return known;
      }
      known = grown;
    }
    this.#output = UNKNOWN;
    return UNKNOWN;
  }

  /** It ends where a row is one that was there: how many rows it gives tells which are alike. */
  #judgeCycle(output: Output): void {
    const columns = namesIn(listAt(nodeAt(this.node, 'cycle_clause') ?? EMPTY, 'cycle_col_list'));
    for (const { name, value } of output.columns)
      if (columns.includes(name)) this.reading.findings.note({ kind: 'compared', clause: 'CYCLE', value });
  }

  #named(output: Output): Output {
    const names = namesIn(listAt(this.node, 'aliascolnames'));
    const columns = output.columns.map((column, index) => ({ ...column, name: names[index] ?? column.name }));
    const all = derived(columns.map((column) => column.value));
    const added = addedNames(this.node).map((name) => ({ name, value: all }));
    return { columns: [...columns, ...added], exact: output.exact };
  }
}

/** Columns that SEARCH and CYCLE put behind those of the query. */
function addedNames(node: TreeNode): readonly string[] {
  const search = nodeAt(node, 'search_clause');
  const cycle = nodeAt(node, 'cycle_clause');
  return [
    ...(search === undefined ? [] : [textAt(search, 'search_seq_column')]),
    ...(cycle === undefined ? [] : [textAt(cycle, 'cycle_mark_column'), textAt(cycle, 'cycle_path_column')]),
  ];
}

function sizeOf(output: Output): number {
  return output.columns.reduce(
    (sum, { value }) =>
      sum + value.origins.size + value.unresolved.length + Number(value.anything) + Number(!value.plain),
    0,
  );
}

/** What each column of an output that is not exact may be. */
export function openOf(output: Output): Derivation | undefined {
  return output.exact ? undefined : either([wholeOf({ columns: output.columns, open: undefined })]);
}
