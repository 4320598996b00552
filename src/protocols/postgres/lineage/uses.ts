import type { Derivation } from './derivation.js';

/**
 * A place of a statement where a column is used so that the answer, or something that stays behind,
 * may tell its content without the column itself being shown. Whether that is refused depends on the
 * masks: the same reading serves every session.
 */
export type Use =
  /**
   * `clause` as the refusal names it: `WHERE`, `ORDER BY`, … `by`: columns of the same row that rows are told apart by
   * first; where these are its key, nothing is left to tell.
   */
  | {
      readonly kind: 'compared';
      readonly clause: string;
      readonly value: Derivation;
      readonly by?: readonly Derivation[];
      /** Nothing is told as long as the open transaction has changed no object, such as a trigger. */
      readonly unlessSettled?: true;
    }
  /** Two columns as they stand, compared by equality. */
  | { readonly kind: 'matched'; readonly clause: string; readonly left: Derivation; readonly right: Derivation }
  /** Two columns as they stand, declared a foreign key and what it refers to. */
  | { readonly kind: 'keyed'; readonly clause: string; readonly left: Derivation; readonly right: Derivation }
  /** Code that nobody can read runs: it may bring any column anywhere. */
  | { readonly kind: 'unread'; readonly clause: string }
  /** Columns get names by which a mask may know them that did not: what they are checked and followed by was judged without. */
  | { readonly kind: 'renamed'; readonly from: readonly ColumnName[]; readonly to: readonly ColumnName[] }
  /** Brought elsewhere; `to` where that is a column that is known, else undefined. */
  | {
      readonly kind: 'moved';
      readonly clause: string;
      readonly value: Derivation;
      readonly to: Derivation | undefined;
    };

export interface ColumnName {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
}

/** Something is made of it that may fail by what it holds; `costly` where it may also take its time by that. */
export interface Computed {
  readonly value: Derivation;
  readonly costly: boolean;
}
