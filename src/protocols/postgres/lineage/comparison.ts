import type { Derivation } from './derivation.js';

/** What is bound to a parameter, or given by an EXECUTE, and how values are taken from it. */
export interface ManyValued {
  readonly number: number;
  /** Undefined where it is an array; else the text that parts it, empty where nobody knows it. */
  readonly separator: string | undefined;
}

/** What a column is compared with in a statement: how many values, and which parameters bring more of them. */
export interface Comparison {
  readonly column: Derivation;
  /** Values that the text itself says. */
  readonly count: number;
  /** Parameters that stand for several values each. */
  readonly parameters: readonly ManyValued[];
}
