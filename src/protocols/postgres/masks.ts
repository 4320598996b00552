import type { KeyedHash, MaskCounts, MaskRule } from '../../core/mask.js';
import type { SqlFacts } from '../../policy/types.js';
import type { ColumnTreatment, ResultColumn } from './columns.js';
import { RowMasker, type MaskWhole, type ValueMasker } from './row-masker.js';
import type { TypeLookup } from './values/type-shapes.js';

/** The masks of one session, as policy has them now. */
export interface SessionMasks {
  /** Entities masked in answers; undefined when none is. */
  readonly answers: ValueMasker | undefined;
  /** Entities masked in the record: those of answers and those of observing policies. */
  readonly record: ValueMasker | undefined;
  /** Does any rule mask whole columns? */
  readonly columnsMasked: boolean;
  /** Another object whenever other columns may be masked, or otherwise: what is known of the catalogue now. */
  known(): unknown;
  /** The strongest rule for a result column, by origin where the wire tells one, else by name. */
  column(column: ResultColumn): MaskRule | undefined;
  /** May a COPY of these tables hold a column that is masked whole? */
  copyTouchesColumns(facts: SqlFacts): boolean;
  readonly maskWhole: MaskWhole;
  readonly hash: KeyedHash;
  /** What the catalogue tells of types now; without it values of user-defined types are known by their looks. */
  types?(): TypeLookup | undefined;
}

export interface RowMaskers {
  readonly client: RowMasker | undefined;
  readonly record: RowMasker | undefined;
}

/**
 * The maskers of one result: for the client, and for the record where that is masked further.
 * Undefined where nothing in this result can change.
 */
export function rowMaskers(masks: SessionMasks, columns: readonly ResultColumn[], counts: MaskCounts): RowMaskers {
  const treatments = columns.map((column): { column: ColumnTreatment; rule: MaskRule | undefined } => {
    const { name, format, typeOid } = column;
    return {
      column: { name, format, typeOid },
      rule: masks.columnsMasked ? masks.column(column) : undefined,
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
