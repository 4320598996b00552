import type { KeyedHash, MaskCounts, MaskRule } from '../../core/mask.js';
import type { ColumnTreatment, ResultColumn } from './results/columns.js';
import type { CopyColumn } from './copy/copy-masker.js';
import type { GivenValue } from './lineage/given-values.js';
import type { Failure } from './lineage/telling-runs.js';
import type { Run } from './statements/run.js';
import { RowMasker, type MaskWhole, type ValueMasker } from './results/row-masker.js';
import type { WriteBackGuard } from './write-back/write-back.js';
import type { TypeLookup } from './values/type-shapes.js';

/** The masks of one session, as policy has them now. */
export interface SessionMasks {
  /** Entities masked in answers; undefined when none is. */
  readonly answers: ValueMasker | undefined;
  /** Entities masked in the record: those of answers and those of observing policies. */
  readonly record: ValueMasker | undefined;
  /** Another object whenever types or columns may be known otherwise: what is known of the catalogue now. */
  known(): unknown;
  /** The rules that mask whole columns; undefined where there is none. */
  readonly columns: WholeColumns | undefined;
  /** Keeps what these masks show from being stored over values. */
  readonly writeBack: WriteBackGuard;
  readonly maskWhole: MaskWhole;
  readonly hash: KeyedHash;
  /** What the catalogue tells of types now; without it values of user-defined types are known by their looks. */
  types?(): TypeLookup | undefined;
}

/** A value of the caller's that a reversibly masked column, as it stands, has to equal. */
export interface ReversibleValue extends Omit<GivenValue, 'column'> {
  readonly rule: MaskRule;
  /** Of the column. */
  readonly typeOid: number;
}

/** The text that is certainly held under a prepared statement's name; `bySql` where a PREPARE in it made that. */
export type PreparedText = (name: string) => { readonly text: string; readonly bySql?: true } | undefined;

/** Where columns are masked whole: what of a run's answer is behind one. */
export interface WholeColumns {
  /** This run is about to be put to policy. */
  asked(run: Run): void;
  /** Why a run whose failure would tell of masked columns may not run on: its caller has been told too much since. */
  refusedNow(run: Run): { readonly rule: string; readonly message: string } | undefined;
  /** A command of it is done, or it failed. */
  ended(run: Run, failure?: Failure): void;
  /** A Bind message opens a portal of that name: SQL may fetch from it as from a cursor. */
  portalNamed(name: string): void;
  /** The server has done it, a DECLARE CURSOR. */
  declared(run: Run): void;
  /** Does it read or write a relation with a masked column? Unknown runs do. */
  touches(run: Run | undefined): boolean;
  /**
   * The strongest rule for each column of a result.
   *
   * @param nth which statement of a simple query gives it, from 0; undefined where the text is of one statement
   */
  ofResult(run: Run, nth: number | undefined, columns: readonly ResultColumn[]): readonly (MaskRule | undefined)[];
  /** The columns that a COPY writes to the client; undefined where nobody can tell which is which. */
  ofCopy(run: Run): readonly CopyColumn[] | undefined;
  /**
   * Values in the text, or bound to it, that the server has to compare with what their pseudonym stands for.
   *
   * @param prepared what an EXECUTE in it runs
   */
  reversible(text: string, prepared?: PreparedText): readonly ReversibleValue[];
  /** May what a function that is called by its object id gives go out? */
  functionPasses(oid: number): boolean;
}

/** Rules for the columns of one result, in order; undefined where no column is masked whole. */
export type ColumnRulesOfResult = readonly (MaskRule | undefined)[] | undefined;

export interface RowMaskers {
  readonly client: RowMasker | undefined;
  readonly record: RowMasker | undefined;
}

/**
 * The maskers of one result: for the client, and for the record where that is masked further.
 * Undefined where nothing in this result can change.
 */
export function rowMaskers(
  masks: SessionMasks,
  columns: readonly ResultColumn[],
  rules: ColumnRulesOfResult,
  counts: MaskCounts,
): RowMaskers {
  const treatments = columns.map((column, index): { column: ColumnTreatment; rule: MaskRule | undefined } => {
    const { name, format, typeOid } = column;
    return {
      column: { name, format, typeOid },
      rule: rules?.[index],
    };
  });
  const build = (values: ValueMasker | undefined, observed: boolean, into: MaskCounts): RowMasker | undefined => {
    const ruled = treatments.map(({ column, rule }) =>
      rule !== undefined && (observed || !rule.observed) ? { ...column, rule } : column,
    );
    if (values === undefined && ruled.every((column) => column.rule === undefined)) return undefined;
    const masker = new RowMasker({
      columns: ruled,
      values,
      maskWhole: masks.maskWhole,
      hash: masks.hash,
      counts: into,
      types: masks.types?.(),
    });
    return masker.idle ? undefined : masker;
  };
  const recordFurther = masks.record !== masks.answers || treatments.some(({ rule }) => rule?.observed === true);
  return {
    client: build(masks.answers, false, counts),
    record: recordFurther ? build(masks.record, true, new Map()) : undefined,
  };
}
