/**
 * Follows an INSERT by its tokens, to tell which of its values goes into a column that holds passwords. `INSERT … SELECT`
 * and inserts without a list of columns tell nothing.
 */
export class InsertColumns {
  #stage: 'none' | 'table' | 'columns' | 'listed' | 'values' = 'none';
  /** Places in the list of columns. */
  readonly #secret = new Set<number>();
  #place = 0;
  #depth = 0;

  /** @param isSecret does a column of this name hold passwords? */
  constructor(private readonly isSecret: (name: string) => boolean) {}

  /** Does a value here go into such a column? */
  get atSecret(): boolean {
    return this.#stage === 'values' && this.#depth > 0 && this.#secret.has(this.#place);
  }

  /** A key word or a name, lower-case. */
  word(word: string): void {
    if (word === 'insert') {
      this.#stage = 'table';
      this.#secret.clear();
    } else if (this.#stage === 'columns') this.#name(word);
    else if (this.#stage === 'listed')
      this.#stage = word === 'values' ? 'values' : word === 'select' ? 'none' : 'listed';
  }

  /** A quoted name. */
  name(name: string): void {
    if (this.#stage === 'columns') this.#name(name);
  }

  sign(sign: string): void {
    if (this.#stage === 'none' || this.#stage === 'listed') return;
    if (sign === '(') {
      this.#depth += 1;
      if (this.#depth === 1) this.#place = 0;
      if (this.#stage === 'table') this.#stage = 'columns';
    } else if (sign === ')') {
      this.#depth = Math.max(0, this.#depth - 1);
      if (this.#stage === 'columns' && this.#depth === 0) this.#stage = this.#secret.size === 0 ? 'none' : 'listed';
    } else if (sign === ',' && this.#depth === 1) this.#place += 1;
  }

  #name(name: string): void {
    if (this.isSecret(name)) this.#secret.add(this.#place);
  }
}
