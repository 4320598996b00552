import type { ObjectName, OpenWrite } from '../../../policy/types.js';

/** With more names the sub-selects' own columns are meant: each doubles the readings of a predicate. */
const MAX_COLUMNS = 4;

/** A table has these whatever it was made with, and a view may. */
const SYSTEM_COLUMNS: ReadonlySet<string> = new Set(['ctid', 'tableoid', 'xmin', 'xmax', 'cmin', 'cmax', 'oid']);

/**
 * Names without qualifier in sub-selects of a predicate: `parent` in `EXISTS (SELECT 1 FROM x WHERE x.t_id = parent)` is
 * the outer row's where x has no such column. A text alone does not tell; it tells what follows either way.
 */
export class OpenColumns {
  readonly #columns: OpenWrite['columns'][number][] = [];
  #outer = 0;

  /** Does the name belong further out than where these relations are read, in this reading? */
  isOuter(name: string, relations: readonly ObjectName[]): boolean {
    if (SYSTEM_COLUMNS.has(name)) return false;
    let index = this.#columns.findIndex((one) => one.name === name && sameNames(one.relations, relations));
    if (index < 0 && this.#columns.length >= MAX_COLUMNS) return false;
    if (index < 0) index = this.#columns.push({ name, relations }) - 1;
    return (this.#outer & (1 << index)) !== 0;
  }

  /**
   * Reads a predicate in every way that the open names allow.
   *
   * @param isUnrestricted reads it once
   * @returns `true` or `false` where it is the same in all
   */
  judge(kind: OpenWrite['kind'], isUnrestricted: () => boolean): boolean | OpenWrite {
    const first = isUnrestricted();
    const restrictedBy = first ? [] : [0];
    for (let outer = 1; outer < 1 << this.#columns.length; outer += 1) {
      this.#outer = outer;
      if (!isUnrestricted()) restrictedBy.push(outer);
    }
    const count = 1 << this.#columns.length;
    if (restrictedBy.length === 0 || restrictedBy.length === count) return restrictedBy.length === 0;
    return { kind, columns: [...this.#columns], restrictedBy };
  }
}

function sameNames(ones: readonly ObjectName[], others: readonly ObjectName[]): boolean {
  return (
    ones.length === others.length &&
    ones.every((one, index) => one.schema === others[index]?.schema && one.name === others[index].name)
  );
}
